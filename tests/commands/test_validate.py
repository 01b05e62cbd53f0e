"""`ftaug validate`: valid and a summary on stdout, or every problem on stderr."""

import json

import pytest

from ftaug.cli import run


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "flowers.yaml"
    path.write_text("data: {train: digits}\nbackbone: resnet18\naugment: [rotate, horizontal_flip]\nmix: mixup\n")
    return path


def test_a_valid_file(config, capsys):
    assert run(["validate", str(config), "train.epochs=3", "lr.peak=3e-4"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    assert out.splitlines()[0] == f"{config}: valid"
    assert ["augment", "rotate, horizontal_flip, mixup"] in lines
    assert ["training", "3 epochs, adamw, cosine from 0.0003, cross_entropy"] in lines
    assert ["metrics", "auto → accuracy"] in lines


def test_a_valid_file_as_json(config, capsys):
    assert run(["validate", str(config), "--json", "seed=7"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["valid"] is True
    assert result["experiment"]["seed"] == 7
    assert result["experiment"]["name"] == "flowers"
    assert len(result["digest"]) == 8


def test_problems_go_to_stderr(config, capsys):
    assert run(["validate", str(config), "trian.epochs=3", "seed=x"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "override 'seed=x': seed must be a whole number of 0 or more; got x",
        "override 'trian.epochs=3': unknown key 'trian'; did you mean 'train'?",
    ]


def test_a_missing_file(tmp_path, capsys):
    assert run(["validate", str(tmp_path / "none.yaml")]) == 66
    assert capsys.readouterr().err == f"{tmp_path / 'none.yaml'}: no such file\n"


def test_plugins_can_be_left_alone(config, capsys):
    mark = config.parent / "imported"
    (config.parent / "leaves_a_mark.py").write_text(f"open({str(mark)!r}, 'w')\n")
    assert run(["validate", str(config), "plugins=[leaves_a_mark.py]", "--no-plugins"]) == 0
    assert not mark.exists()
    assert run(["validate", str(config), "plugins=[leaves_a_mark.py]"]) == 0
    assert mark.exists()


def test_a_dataset_that_reads_the_rows_of_all_splits(config, capsys):
    split = "{image_table: {path: t.csv, split_column: use}}"
    both = [f"data.train={split}", "data.val={image_table: {path: t.csv}}"]
    assert run(["validate", str(config), *both]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"override '{both[1]}': data.val reads all rows of the table, including those of data.train; "
        "set split_column: use here too"
    ]
    assert run(["validate", str(config), both[0], f"data.val={split}"]) == 0
    assert run(["validate", str(config), "data.train={image_table: {path: t.csv}}", both[1]]) == 0


def test_the_task_that_the_file_says_is_checked_without_its_data(tmp_path, capsys):
    path = tmp_path / "houses.yaml"
    path.write_text("data: {train: {image_table: {path: none.csv, target: price}}}\nbackbone: resnet18\n")
    assert run(["validate", str(path)]) == 0
    out = capsys.readouterr().out
    assert "mse" in out
    assert "auto → rmse, mae" in out
    assert run(["validate", str(path), "~data.train.image_table.target"]) == 0  # the cells may be lists
    out = capsys.readouterr().out
    assert "auto (cross_entropy or binary_cross_entropy)" in out
    assert "auto → accuracy or average_precision, f1" in out
    assert run(["validate", str(path), "loss=focal", "evaluate.metrics=[f1]"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(
    ("backbone", "words"),
    [
        ("resnet20: {weights: imagenet}", "resnet20.weights must be letters, none or a file; got imagenet"),
        (
            "efficientnet_lite0: {weights: letters}",
            "efficientnet_lite0.weights must be imagenet, none or a file; got l",
        ),
        ("tiny_text: {weights: pretrained}", "tiny_text.weights must be docstrings, none or a file; got pretrained"),
        ("hf: {path: a/b, weights: imagenet}", "hf.weights must be pretrained, none or a file; got imagenet"),
        ("resnet20: {weights: other.pth}", None),
        ("resnet20: {weights: {path: other, match: order}}", None),
    ],
)
def test_names_of_weights_that_a_network_does_not_have(tmp_path, capsys, backbone, words):
    modality = "image" if "net" in backbone.split(":")[0] else "text"
    dataset = {"image": "digits", "text": "docstrings"}[modality]
    (tmp_path / "a.yaml").write_text(f"modality: {modality}\ndata: {{train: {dataset}}}\nbackbone: {{{backbone}}}\n")
    assert run(["validate", str(tmp_path / "a.yaml")]) == (0 if words is None else 2)
    assert words is None or f"a.yaml:3:{backbone.index('weights') + 21}: backbone.{words}" in capsys.readouterr().err
