"""`ftaug init` for texts: a table or a folder gets an experiment file that is valid and fits the texts."""

import csv
import json
import subprocess
import sys

import pytest

from ftaug.cli import run
from ftaug.config.registry import registry
from ftaug.experiment_file import load


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def table(path, columns, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])


def labelled(count, label=lambda i: "pos" if i % 2 else "neg"):
    return [(i, f"a film of number {i}", label(i)) for i in range(count)]


@pytest.mark.parametrize(
    ("columns", "text", "label"),
    [
        (("id", "text", "label"), "text", "label"),
        (("Unnamed: 0", "Review", "Sentiment"), "Review", "Sentiment"),
        (("n", "wörter: #1", "spam?"), "wörter: #1", "spam?"),
    ],
)
def test_the_columns_of_a_table_are_guessed(desk, capsys, columns, text, label):
    table(desk / "reviews.csv", columns, labelled(30))
    assert run(["init", "reviews.csv"]) == 0
    assert capsys.readouterr() == ("reviews.yaml\n", "next: ftaug train reviews.yaml\n")
    experiment = load("reviews.yaml")
    assert experiment.modality == "text" and experiment.backbone.name == "tiny_text"
    assert experiment.data.train.name == "text_table"
    settings = experiment.data.train.settings
    assert (settings["path"], settings["text"], settings["label"]) == (desk / "reviews.csv", text, label)
    assert settings["empty"] == "error" and experiment.data.val.split == 0.2
    assert {op.name for op in experiment.augment} <= set(registry("augmentation", "text"))
    assert "30 training texts, 2 classes: neg, pos" in (desk / "reviews.yaml").read_text()
    assert len(experiment.data.train("train")) == 30


def test_pairs_and_splits(desk):
    rows = [(f"a {i}", f"b {i}", i % 3, "train" if i < 8 else "dev") for i in range(12)]
    table(desk / "nli.csv", ("premise", "hypothesis", "label", "split"), rows)
    assert run(["init", "nli.csv"]) == 0
    data = load("nli.yaml").data
    assert data.train.settings["text"] == ("premise", "hypothesis")
    assert (len(data.train("train")), len(data.val("val")), data.test) == (8, 4, None)


def test_numbers_are_told_from_classes(desk):
    table(desk / "sts.csv", ("sentence1", "sentence2", "score"), [(f"a {i}", f"b {i}", i / 4) for i in range(9)])
    assert run(["init", "sts.csv"]) == 0
    settings = load("sts.yaml").data.train.settings
    assert (settings["label"], settings["target"]) == (None, "score")
    table(desk / "stars.csv", ("text", "rating"), [(f"text {i}", i % 5) for i in range(30)])
    assert run(["init", "stars.csv"]) == 0
    assert load("stars.yaml").data.train.settings["label"] == "rating"


def test_labels_in_lists_and_empty_texts(desk):
    rows = [{"text": f"t {i}" if i else " ", "labels": ["x"] * (i % 2) + ["y"]} for i in range(9)]
    (desk / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert run(["init", "t.jsonl"]) == 0
    experiment = load("t.yaml")
    assert experiment.loss.name == "binary_cross_entropy"
    assert experiment.data.train.settings["empty"] == "skip"


def test_imbalance_gives_the_classes_weights(desk):
    table(desk / "r.csv", ("id", "text", "label"), labelled(40, lambda i: "rare" if i % 8 == 0 else "common"))
    run(["init", "r.csv"])
    assert load("r.yaml").loss.settings["class_weights"] == "balanced"


@pytest.mark.parametrize(
    ("columns", "rows", "what"),
    [
        (("a", "b"), [(1, 2), (3, 4)], "the text"),
        (("text", "id"), [("one", 1), ("two", 2), ("three", 3)], "the label"),
        (("one", "two", "label"), [("a long text", "b long text", i % 2) for i in range(9)], "the text"),
    ],
)
def test_where_unsure_the_columns_are_listed(desk, capsys, columns, rows, what):
    table(desk / "t.csv", columns, rows)
    assert run(["init", "t.csv"]) == 2
    there = ", ".join(f"'{name}'" for name in columns)
    message = f"t.csv: cannot tell which column holds {what}; the columns are {there}: rename"
    assert capsys.readouterr().err.startswith(message)
    assert not (desk / "t.yaml").exists()


def test_folders_of_texts(desk):
    for part in ("train", "test"):
        for name in ("good", "bad"):
            (desk / "films" / part / name).mkdir(parents=True)
            (desk / "films" / part / name / "1.txt").write_text(f"a {name} film")
    assert run(["init", "films"]) == 0
    data = load("films.yaml").data
    assert data.train.name == "text_folder" and data.train.settings["path"] == desk / "films" / "train"
    assert data.test.settings["path"] == desk / "films" / "test"


@pytest.mark.parametrize(("flag", "pooling"), [(True, "mean"), (False, "auto")])
def test_an_encoder_whose_mean_was_pretrained_gets_a_recipe_of_its_own(desk, flag, pooling):
    """Its folder says so; weights none leave nothing to keep."""
    (desk / "encoder/1_Pooling").mkdir(parents=True)
    (desk / "encoder/config.json").write_text("{}")
    (desk / "encoder/1_Pooling/config.json").write_text(json.dumps({"pooling_mode_mean_tokens": flag}))
    table(desk / "r.csv", ("id", "text", "label"), labelled(90))
    assert run(["init", "r.csv", "--backbone", "encoder"]) == 0
    experiment = load("r.yaml")
    assert experiment.backbone.settings["pooling"] == pooling
    assert (experiment.lr.stages == {"head": 30}) == flag == (not experiment.augment)
    assert (experiment.loss.settings["label_smoothing"] == 0.1) == flag
    assert (experiment.data.batch_size, experiment.train.epochs) == ((16, 10) if flag else (4, 20))
    assert run(["init", "r.csv", "--backbone", "encoder", "--weights", "none", "-o", "new.yaml"]) == 0
    assert load("new.yaml").lr.stages == {}


def test_a_damaged_pooling_file_is_named(desk, capsys):
    (desk / "encoder/1_Pooling").mkdir(parents=True)
    (desk / "encoder/config.json").write_text("{}")
    (desk / "encoder/1_Pooling/config.json").write_bytes(b"\xff")
    table(desk / "r.csv", ("id", "text", "label"), labelled(9))
    assert run(["init", "r.csv", "--backbone", "encoder"]) == 65
    assert capsys.readouterr().err == "encoder/1_Pooling/config.json: not UTF-8\n"


def test_what_is_not_there_or_nothing(desk, capsys):
    (desk / "reviews.txt").write_text("x")
    assert run(["init", "review.txt"]) == 66
    assert capsys.readouterr().err == "no file or folder review.txt; did you mean 'reviews.txt'?\n"
    assert run(["init", "reviews.txt"]) == 66
    expected = "reviews.txt: no table, archive, Parquet file or folder with one folder per class\n"
    assert capsys.readouterr().err == expected


def test_it_starts_lightly(desk):
    table(desk / "r.csv", ("id", "text", "label"), labelled(9))
    program = (
        "import sys; from ftaug.cli import run; code = run(['init', 'r.csv']);"
        "names = {name.split('.')[0] for name in sys.modules};"
        "heavy = names & {'torch', 'transformers', 'tokenizers', 'regex', 'sklearn'};"
        "sys.exit(str(heavy) if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=desk, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
