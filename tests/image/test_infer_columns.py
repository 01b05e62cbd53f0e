"""`ftaug init` for tables of pictures: the columns, splits, labels and numbers; and what is refused with what to do."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ftaug.cli import run
from ftaug.experiment_file import load

N = 24


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for i in range(N):
        path = tmp_path / picture(i)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (72, 80, 3), dtype=np.uint8)).save(path)
    return tmp_path


def picture(i):
    return f"pics/{label(i)}/{i}.png"


def label(i):
    return "dog" if i % 3 else "cat"


def table(path, columns, row, delimiter=","):
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows(([columns] if columns else []) + [row(i) for i in range(N)])


def made(capsys, *arguments):
    """The experiment that init writes, which is valid too."""
    assert run(["init", *arguments]) == 0, capsys.readouterr().err
    file = capsys.readouterr().out.strip()
    assert run(["validate", file]) == 0
    capsys.readouterr()
    assert all(len(line) <= 120 for line in Path(file).read_text().splitlines())
    return load(file)


def test_a_table_of_pictures_is_a_picture_experiment(desk, capsys):
    table(desk / "labels.csv", ("path", "label"), lambda i: (picture(i), label(i)))
    experiment = made(capsys, "labels.csv")
    assert experiment.modality == "image" and experiment.data.train.name == "image_table"
    settings = experiment.data.train.settings
    assert (settings["image"], settings["label"], settings["root"]) == ("path", "label", None)
    assert experiment.data.val.split == 0.2
    assert experiment.data.train("train").task.classes == ("cat", "dog")
    text = (desk / "labels.yaml").read_text()
    assert f"{N} training pictures of 2 classes, about 80×72 pixels" in text


def test_jsonl_and_columns_of_other_names(desk, capsys):
    rows = [{"n": i, "photo of it": picture(i), "what": label(i)} for i in range(N)]
    (desk / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    settings = made(capsys, "t.jsonl").data.train.settings
    assert (settings["image"], settings["label"]) == ("photo of it", "what")


def test_parquet(desk, capsys):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [{"image": picture(i), "species": label(i)} for i in range(N)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), desk / "t.parquet")
    assert made(capsys, "t.parquet").data.train.settings["label"] == "species"


def test_a_split_column_gives_val_and_test(desk, capsys):
    part = ["train", "train", "validation", "test"]
    table(desk / "t.tsv", ("file", "kind", "use"), lambda i: (picture(i), label(i), part[i % 4]), delimiter="\t")
    data = made(capsys, "t.tsv").data
    assert [len(split(name)) for split, name in ((data.train, "train"), (data.val, "val"), (data.test, "test"))] == [
        N // 2,
        N // 4,
        N // 4,
    ]


def test_groups_are_a_hint(desk, capsys):
    table(desk / "t.csv", ("path", "patient", "diagnosis"), lambda i: (picture(i), i // 4, label(i)))
    experiment = made(capsys, "t.csv")
    assert experiment.data.train.settings["group"] is None
    assert "\n  # `group: patient` in image_table keeps" in (desk / "t.yaml").read_text()


def test_several_labels(desk, capsys):
    table(desk / "t.csv", ("path", "tags"), lambda i: (picture(i), f"{label(i)}|{'big' if i % 2 else 'small'}"))
    experiment = made(capsys, "t.csv")
    assert experiment.loss.name == "binary_cross_entropy" and experiment.evaluate.best == "f1"
    assert experiment.data.train("train").task.classes == ("big", "cat", "dog", "small")


def test_numbers(desk, capsys):
    table(desk / "t.csv", ("path", "age"), lambda i: (picture(i), i / 4))
    experiment = made(capsys, "t.csv")
    assert experiment.data.train.settings["target"] == "age"
    assert experiment.loss.name == "huber" and experiment.evaluate.best == "rmse"


def test_absolute_paths_and_pictures_in_a_folder_beside_the_table(desk, capsys):
    table(desk / "lists" / "abs.csv", ("path", "label"), lambda i: (desk / picture(i), label(i)))
    experiment = made(capsys, "lists/abs.csv")
    assert experiment.data.train.settings["root"] == desk / "pics"
    assert experiment.data.train("train").name(0) == str(desk / picture(0))
    table(desk / "beside.csv", ("path", "label"), lambda i: (picture(i).removeprefix("pics/"), label(i)))
    assert made(capsys, "beside.csv").data.train.settings["root"] == desk / "pics"
    table(desk / "lists" / "above.csv", ("path", "label"), lambda i: (picture(i), label(i)))
    assert made(capsys, "lists/above.csv").data.train.settings["root"] == desk


def test_a_table_without_a_header(desk, capsys):
    table(desk / "t.csv", None, lambda i: (picture(i), label(i)))
    assert run(["init", "t.csv"]) == 65
    err = capsys.readouterr().err
    assert err.startswith("t.csv:1: the table has no header: its first line is data ('pics/cat/0.png', 'cat')")
    assert err.endswith("such as path,label\n") and err.count("\n") == 1
    assert not (desk / "t.yaml").exists()


def test_a_table_of_texts_without_a_header(desk, capsys):
    table(desk / "r.tsv", None, lambda i: (f"a film of number {i}", "good" if i % 2 else "bad"), delimiter="\t")
    assert run(["init", "r.tsv"]) == 65
    assert "r.tsv:1: the table has no header" in (err := capsys.readouterr().err) and "text<tab>label" in err
    columns = ("Tell us of the film you saw", "Was it any good?")
    table(desk / "q.csv", columns, lambda i: (f"a film of number {i}", i % 2))
    assert run(["init", "q.csv"]) == 0


def test_pictures_that_are_not_there(desk, capsys):
    table(desk / "t.csv", ("path", "label"), lambda i: (f"gone/{i}.png", label(i)))
    assert run(["init", "t.csv"]) == 66
    assert "t.csv: column 'path' names pictures such as gone/0.png, which are not below ." in capsys.readouterr().err
    table(desk / "u.csv", ("path", "label"), lambda i: (picture(i) if i else "gone/0.png", label(i)))
    assert run(["init", "u.csv"]) == 66
    assert "u.csv:2: no picture gone/0.png" in capsys.readouterr().err


def test_texts_beside_web_addresses_stay_texts(desk, capsys):
    table(desk / "t.csv", ("url", "text", "label"), lambda i: (f"https://x/{i}.png", f"a text {i}", label(i)))
    assert made(capsys, "t.csv").modality == "text"


def test_the_modality_can_be_said(desk, capsys):
    table(desk / "t.csv", ("path", "text", "label"), lambda i: (picture(i), f"it is number {i}", label(i)))
    assert made(capsys, "t.csv").modality == "image"
    assert made(capsys, "t.csv", "--modality", "text", "-o", "x.yaml").data.train.settings["text"] == "text"
    table(desk / "n.csv", ("text", "label"), lambda i: (f"it is number {i}", label(i)))
    assert run(["init", "n.csv", "--modality", "image"]) == 2
    assert "n.csv: no column holds paths of pictures" in capsys.readouterr().err


def test_unclear_labels(desk, capsys):
    table(desk / "t.csv", ("path", "a", "b"), lambda i: (picture(i), i % 2, i % 3))
    assert run(["init", "t.csv"]) == 2
    message = "t.csv: cannot tell which column holds the label; the columns are 'path', 'a', 'b': rename it to label"
    assert capsys.readouterr().err.startswith(message)


def test_from_a_table_to_a_figure(desk, capsys):
    table(desk / "labels.csv", ("path", "label"), lambda i: (picture(i), label(i)))
    assert run(["init", "labels.csv", "--backbone", "resnet20"]) == 0
    assert run(["train", "labels.yaml", "train.epochs=1", "--run-dir", "r", "--device", "cpu"]) == 0
    assert run(["evaluate", "r"]) == 0
    assert "accuracy" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["t.csv", "t.tsv"])
def test_semicolons_are_recognized_and_said(desk, capsys, name):
    table(desk / name, ("path", "label"), lambda i: (picture(i), label(i)), delimiter=";")
    assert run(["init", name, "-o", "x.yaml"]) == 0
    assert f"note: {name}: columns are separated by a semicolon, as in its header\n" in capsys.readouterr().err
    assert len(load("x.yaml").data.train("train")) == N


def test_paths_without_endings_are_no_texts(desk, capsys):
    table(desk / "t.csv", ("id", "label"), lambda i: (picture(i).removesuffix(".png"), label(i)))
    assert run(["init", "t.csv"]) == 65
    assert capsys.readouterr().err == (
        "t.csv: column 'id' names pictures without their ending, such as pics/cat/0.png; "
        "write the paths with it into the table\n"
    )
    assert not (desk / "t.yaml").exists()


def test_paths_and_web_addresses_are_no_texts(desk, capsys):
    table(desk / "t.csv", ("url", "label"), lambda i: (f"https://x.y/{picture(i)}", label(i)))
    assert run(["init", "t.csv"]) == 66
    said = "t.csv: column 'url' holds web addresses such as https://x.y/pics/cat/0.png; download them first\n"
    assert capsys.readouterr().err == said
    for column, unsure in (("file", "cannot tell which column holds the text"), ("text", "column 'text' holds paths")):
        (desk / "a b.txt").write_text("x")
        table(desk / "u.csv", (column, "label"), lambda i: (f"{i}/scan-a-b.dat" if i else "a b.txt", label(i)))
        assert run(["init", "u.csv"]) == 2
        assert f"u.csv: {unsure}" in capsys.readouterr().err


def test_cells_that_no_file_can_be_called(desk, capsys):
    for column, code in (("sequence", 2), ("text", 0)):
        table(desk / "t.csv", (column, "label"), lambda i: ("ACGT" * 100 + str(i), label(i)))
        assert run(["init", "t.csv"]) == code
    table(desk / "u.csv", ("path", "label"), lambda i: (f"{'x' * 300}{i}.png", label(i)))
    assert run(["init", "u.csv"]) == 66
    assert "which are not below" in capsys.readouterr().err


def test_a_table_without_a_header_whose_pictures_are_not_there(desk, capsys):
    table(desk / "t.csv", None, lambda i: (label(i), f"gone/{i}.png", i), delimiter=";")
    assert run(["init", "t.csv"]) == 65
    assert capsys.readouterr().err == (
        "t.csv:1: the table has no header: its first line is data ('cat', 'gone/0.png', '0'), the path of a picture "
        "among it; write the names of the columns above it, such as label;path;label_2\n"
    )


def test_broken_pictures_are_named_and_not_counted(desk, capsys):
    (desk / "pics" / "cat" / "0.png").write_bytes(b"")
    (desk / "pics" / "dog" / "1.png").write_bytes(b"no picture")
    table(desk / "t.csv", ("path", "label"), lambda i: (picture(i), label(i)))
    assert run(["init", "t.csv"]) == 0
    err = capsys.readouterr().err
    assert "not counted: " in err and "pics/cat/0.png" in err and "pics/dog/1.png" in err
    text = (desk / "t.yaml").read_text()
    assert f"\n# {N - 2} training pictures of 2 classes" in text and "\n# cat 7, dog 15\n" in text


def test_a_split_column_with_another_name_in_it(desk, capsys):
    uses = ["train", "val", "train", "holdout"]
    table(desk / "t.csv", ("path", "label", "split"), lambda i: (picture(i), label(i), uses[i % 4]))
    data = made(capsys, "t.csv").data
    assert (len(data.train("train")), len(data.val("val")), data.test) == (N // 2, N // 4, None)


def test_a_row_unlike_the_header(desk, capsys):
    table(
        desk / "t.csv", ("path", "label"), lambda i: (picture(i), label(i), "x") if i == 3 else (picture(i), label(i))
    )
    assert run(["init", "t.csv"]) == 65
    assert capsys.readouterr().err.startswith("t.csv:5: the row has 3 cells and the header 2;")
