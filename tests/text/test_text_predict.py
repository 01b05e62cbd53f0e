"""`ftaug predict` on texts: lines, tables, arguments, pairs, what is wrong with some; and what train says before."""

import csv
import io
import json
import shutil
import sys

import numpy as np
import pytest

from ftaug.cli import run
from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Task
from ftaug.runs.prediction import Prediction
from ftaug.runs.report.predictions import form

EXPERIMENT = """
modality: text
data:
  train: {{text_table: {{path: films.csv, text: {text}, empty: skip}}}}
  val: {{split: 25%}}
  batch_size: 8
  workers: 0
backbone: {{hf: {{path: {bert}, weights: none, max_length: 32}}}}
unfreeze: [all]
train: {{epochs: 1}}
"""


@pytest.fixture(scope="session")
def desk(tiny_bert, tmp_path_factory):
    """A table, two experiments on it – texts and pairs – and their finished runs."""
    folder = tmp_path_factory.mktemp("texts")
    with (folder / "films.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["words", "more", "label"])
        for i in range(24):
            end = " and it" * (30 if i == 3 else 1)
            table.writerow(
                [f"the film {i} was {'good' if i % 2 else 'bad'}{end}", f"it {i}", "pos" if i % 2 else "neg"]
            )
        table.writerow([" ", "x", "pos"])
    for name, text in (("texts", "words"), ("pairs", "[words, more]")):
        (folder / f"{name}.yaml").write_text(EXPERIMENT.format(text=text, bert=tiny_bert))
        assert run(["train", str(folder / f"{name}.yaml"), "--run-dir", str(folder / name), "--device", "cpu"]) == 0
    return folder


@pytest.fixture
def here(desk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stdin(monkeypatch, content: bytes):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def predicted(capsys, code, *arguments):
    capsys.readouterr()
    assert run(["predict", *map(str, arguments), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_lines_tables_and_arguments_give_the_same(desk, here, capsys, monkeypatch):
    texts = ["a good film", "The film, “bad” é 🙂", "not very/great or so"]
    (here / "lines.txt").write_text("\n".join(texts) + "\n")
    (here / "log").write_bytes("\r\n".join(texts).encode("utf-8-sig"))
    (here / "rows.jsonl").write_text("".join(json.dumps({"words": text}) + "\n" for text in texts))
    stdin(monkeypatch, "\n".join(texts).encode())
    found = predicted(capsys, 0, desk / "texts", *texts, "-", "lines.txt", "log", "rows.jsonl")
    assert [one["input"] for one in found] == [
        *texts,
        *(f"{name}:{i}" for name in ("stdin", "lines.txt", "log", "rows.jsonl") for i in (1, 2, 3)),
    ]
    answers = [[one["predictions"][0][key] for one in found] for key in ("class", "probability")]
    for start in (3, 6, 9, 12):
        assert answers[0][start : start + 3] == answers[0][:3]
        np.testing.assert_allclose(answers[1][start : start + 3], answers[1][:3], atol=1e-5)


def test_the_answers_are_those_of_evaluate(desk, here, capsys):
    assert run(["evaluate", str(desk / "texts"), "--split", "val"]) == 0
    with (desk / "texts" / "report" / "val.samples.csv").open(newline="") as file:
        expected = {row["name"]: row for row in csv.DictReader(file)}
    found = predicted(capsys, 65, desk / "texts", desk / "films.csv", "--top-k", 2)
    assert len(expected) == 6 and found[-1] == {"input": f"{desk / 'films.csv'}:26", "error": "the text is empty"}
    for one in found:
        if row := expected.get(one["input"]):
            for answer in one["predictions"]:
                assert answer["probability"] == pytest.approx(float(row[f"probability_{answer['class']}"]), abs=1e-5)


def test_bad_lines_have_their_errors_and_the_others_are_done(desk, here, capsys, monkeypatch):
    stdin(monkeypatch, b"a good film\n \ncaf\xe9\nbad\0 film")
    found = predicted(capsys, 65, desk / "texts", "-")
    assert [one.get("error") for one in found] == [
        None,
        "the text is empty",
        "the text is not UTF-8 at byte 4; save the file as UTF-8",
        None,
    ]


def test_pairs_have_a_tab_between_them(desk, here, capsys, monkeypatch):
    stdin(monkeypatch, b"good film\tit was\nbad film\n")
    found = predicted(capsys, 65, desk / "pairs", "-", "good film\tit was")
    assert found[1] == {"input": "stdin:2", "error": "must be two texts with one TAB between them; got 0 TABs"}
    assert found[0]["predictions"] == [pytest.approx(one, abs=1e-5) for one in found[2]["predictions"]]
    (here / "p.csv").write_text('words,more\n"good film","it was"\n')
    (again,) = predicted(capsys, 0, desk / "pairs", "p.csv")
    assert again["predictions"][0]["probability"] == pytest.approx(found[0]["predictions"][0]["probability"], abs=1e-5)


def test_what_looks_like_a_path_and_is_not_there_is_named_before_any_work(desk, here, capsys):
    (here / "my texts").mkdir()
    names = ["no.txt", "No.CSV", "a/b", "./a b", "my texts/x"]
    capsys.readouterr()
    assert run(["predict", str(desk / "texts"), "good and/or bad", *names]) == 66
    out, err = capsys.readouterr()
    assert out == "" and [line.partition(":")[0] for line in err.splitlines()] == names


def test_a_table_without_the_column_is_an_error_before_any_work(desk, here, capsys):
    (here / "t.csv").write_text("text\nx\n")
    capsys.readouterr()
    assert run(["predict", str(desk / "texts"), "good film", "t.csv", "--json"]) == 65
    out, err = capsys.readouterr()
    assert err == "t.csv:1: no column 'words'; the columns are 'text'\n"
    assert json.loads(out)["error"] == err.strip()


def test_standard_input_is_read_as_it_comes(desk, here, capsys, monkeypatch):
    """A stream of which only some is there: what was read is at most a batch ahead of what was printed."""
    read, ahead = 0, []

    class Endless:
        def __iter__(self):
            nonlocal read
            for _ in range(40):
                read += 1
                yield b"a good film\n"

    class Stdin:
        buffer = Endless()

    monkeypatch.setattr(sys, "stdin", Stdin())
    original = print

    def noting(*values, **options):
        if str(values[0]) in "[,":
            ahead.append(read - len(ahead))
        original(*values, **options)

    monkeypatch.setattr("builtins.print", noting)
    assert len(predicted(capsys, 0, desk / "texts", "-")) == 40
    assert len(ahead) == 40 and max(ahead) == 8


def test_no_lines_give_an_empty_list(desk, here, capsys, monkeypatch):
    stdin(monkeypatch, b"")
    assert predicted(capsys, 0, desk / "texts", "-") == []


def test_csv_and_tables_name_inputs(desk, here, capsys):
    long = "good " * 50
    assert run(["predict", str(desk / "texts"), long, "a\nb", "--csv", "out.csv"]) == 0
    with (here / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["input"] for row in rows] == [("good " * 12)[:59] + "…", "a b"] and list(rows[0])[1] == "class"


def test_numbers_have_columns_of_their_own():
    told = form(Task(("x", "y"), regression=True), None)
    prediction = Prediction("a", np.float32([1.5, -2]))
    assert told.headings == ("x", "y") and told.cells(prediction) == [1.5, -2.0]
    assert told.plain(prediction) == {"numbers": {"x": 1.5, "y": -2.0}}
    with pytest.raises(ExperimentError, match="--top-k"):
        form(Task(("x",), regression=True), 3)


def test_train_and_inspect_say_what_is_cut_and_left_out(desk, here, capsys):
    assert run(["inspect", str(desk / "texts.yaml"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["notes"] == ["train: 1 empty text left out: line 26"]
    (caution,) = report["cautions"]
    assert "texts is longer than the 32 tokens of max_length and cut" in caution and "films.csv:5" in caution
    assert run(["inspect", str(desk / "texts.yaml")]) == 0
    out = capsys.readouterr().out
    assert "1 empty text left out: line 26" in out and "films.csv:5" in out
    assert run(["train", str(desk / "texts.yaml"), "--run-dir", str(here / "run"), "--device", "cpu"]) == 0
    err = capsys.readouterr().err
    assert err.index("films.csv:5") < err.index("epoch 1/") and "line 26" in err


def test_a_run_folder_is_all_that_is_needed(desk, tiny_bert, here, capsys):
    """The encoder's own folder may go, and the run's may move."""
    shutil.copytree(tiny_bert, here / "encoder")
    (here / "films.csv").write_bytes((desk / "films.csv").read_bytes())
    (here / "texts.yaml").write_text(EXPERIMENT.format(text="words", bert="encoder"))
    assert run(["train", "texts.yaml", "--run-dir", "run", "--device", "cpu"]) == 0
    before = predicted(capsys, 0, "run", "the film was good")
    shutil.rmtree(here / "encoder")
    (here / "run").rename(here / "elsewhere")
    assert predicted(capsys, 0, "elsewhere", "the film was good") == before
    assert not list((here / "elsewhere" / "backbone").glob("*.safetensors"))
