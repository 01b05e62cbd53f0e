import csv
import json
import shutil

import numpy as np
import pytest
from processes import Command

from ftaug.cli import run


@pytest.fixture
def pictures(desk, tmp_path):
    """Good and bad files in nested folders."""
    (tmp_path / "in" / "deep" / ".hidden").mkdir(parents=True)
    good = desk / "photos" / "test"
    shutil.copy(good / "red" / "00.png", tmp_path / "in" / "b.PNG")
    shutil.copy(good / "green" / "00.png", tmp_path / "in" / "deep" / "a.png")
    shutil.copy(good / "green" / "00.png", tmp_path / "in" / "deep" / ".hidden" / "a.png")
    (tmp_path / "in" / "notes.txt").write_text("not looked at")
    return tmp_path / "in"


def test_files_in_folders_get_the_probabilities_that_evaluate_gives(desk, pictures, capsys):
    assert run(["evaluate", str(desk / "run")]) == 0
    with (desk / "run" / "report" / "test.samples.csv").open(newline="") as file:
        expected = {row["name"]: row for row in csv.DictReader(file)}
    capsys.readouterr()
    assert run(["predict", str(desk / "run"), str(pictures), "--top-k", "3", "--json"]) == 0
    red, green = json.loads(capsys.readouterr().out)
    assert [red["input"], green["input"]] == [str(pictures / "b.PNG"), str(pictures / "deep" / "a.png")]
    for found, sample in ((red, "red/00.png"), (green, "green/00.png")):
        row = expected[str(desk / "photos" / "test" / sample)]
        assert found["predictions"][0]["class"] == row["prediction"]
        chances = [one["probability"] for one in found["predictions"]]
        assert chances == sorted(chances, reverse=True)
        for one in found["predictions"]:
            assert one["probability"] == pytest.approx(float(row[f"probability_{one['class']}"]), abs=1e-5)


def test_many_files_keep_their_order_over_batches(desk, capsys):
    files = sorted(str(path) for path in (desk / "photos" / "train").rglob("*.png"))
    assert run(["predict", str(desk / "run"), *files, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["input"] for one in found] == files
    assert run(["predict", str(desk / "run"), files[37], "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)[0]["predictions"][0]
    assert found[37]["predictions"][0]["class"] == alone["class"]
    assert found[37]["predictions"][0]["probability"] == pytest.approx(alone["probability"], abs=1e-5)


def test_a_bad_file_has_its_line_and_the_others_are_done(desk, pictures, capsys):
    (pictures / "a.png").write_bytes(b"no picture")
    assert run(["predict", str(desk / "run"), str(pictures)]) == 65
    out, err = capsys.readouterr()
    lines = [line for line in out.splitlines() if "in/" in line]
    assert len(lines) == 3
    assert "not a picture" in lines[0] and "a.png" in lines[0]
    assert "b.PNG" in lines[1] and "deep/a.png" in lines[2]
    assert "\n1 of 3 could not be read" in err


def test_only_bad_files(desk, pictures, capsys):
    for path in pictures.rglob("*.[pP]*"):
        path.write_bytes(b"")
    assert run(["predict", str(desk / "run"), str(pictures), "--json"]) == 65
    assert all("error" in one for one in json.loads(capsys.readouterr().out))


def test_csv_has_a_column_for_every_rank_and_for_errors(desk, pictures, tmp_path, capsys):
    (pictures / "a.png").write_bytes(b"no picture")
    target = tmp_path / "found.csv"
    assert run(["predict", str(desk / "run"), str(pictures), "--top-k", "9", "--csv", str(target)]) == 65
    assert capsys.readouterr().out.strip() == str(target)
    with target.open(newline="") as file:
        bad, first, _ = csv.DictReader(file)
    assert list(first) == ["input", *(f"{n}_{k}" for k in (1, 2, 3) for n in ("class", "probability")), "error"]
    assert {first["class_1"], first["class_2"], first["class_3"]} == {"blue, mostly", "green", "red"}
    assert first["error"] == "" and bad["class_1"] == ""
    assert "not a picture" in bad["error"]


def test_inputs_that_are_not_there_are_all_named_before_any_work(desk, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert run(["predict", str(desk / "run"), "no.png", str(desk / "photos"), "neither"]) == 66
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["no.png: no such file or folder", "neither: no such file or folder"]
    assert run(["predict", str(desk / "run"), str(tmp_path / "empty")]) == 66
    assert "empty: holds no .jpg, .jpeg, .jfif, .jpe, .png" in capsys.readouterr().err


def test_every_is_for_sounds(desk, pictures, capsys):
    command = ["predict", str(desk / "run"), str(pictures), "--every"]
    assert run([*command, "2"]) == 2
    assert run([*command, "0"]) == 2
    assert capsys.readouterr().err.splitlines() == [
        "--every: images have no seconds; it is for sounds",
        "--every must be a number of seconds above 0; got 0",
    ]


KILL = """
import signal
from ftaug.runs.trained_model import TrainedModel
predict_batch, calls = TrainedModel.predict_batch, []
def counted(*arguments):
    calls.append(arguments)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return predict_batch(*arguments)
TrainedModel.predict_batch = counted
"""


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_a_killed_command_continues_to_the_same_bytes(desk, tmp_path, name):
    arguments = ["predict", str(desk / "run"), str(desk / "photos" / "train"), "--features", "--output"]
    whole = Command([*arguments, f"whole-{name}"], tmp_path)
    assert whole.wait() == 0, whole.output
    assert Command([*arguments, name], tmp_path, KILL).wait() == -9
    assert not (tmp_path / name).exists()
    again = Command([*arguments, name], tmp_path)
    assert again.wait() == 0
    assert f"{name}: continues after 24 predictions" in again.output[1]
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole-{name}").read_bytes()
    assert {each.name for each in tmp_path.iterdir()} == {name, f"whole-{name}"}


def test_features_are_what_the_output_layer_turns_into_logits(desk, tmp_path):
    from ftaug.runs.open_run import open_run

    opened = open_run(desk / "run")
    layer = [*opened.model.network.state_dict().items()][-2:]
    files = sorted(str(path) for path in (desk / "photos" / "test").rglob("*.png"))
    assert run(["predict", str(desk / "run"), *files, "--features", "--output", str(tmp_path / "a.jsonl")]) == 0
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    features = np.array([row["features"] for row in rows])
    logits = features @ layer[0][1].numpy().T + layer[1][1].numpy()
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = [row["predictions"][0]["probability"] for row in rows]
    assert found == pytest.approx(expected.max(axis=1), abs=1e-5)


def test_features_need_a_file_or_json(desk, capsys):
    assert run(["predict", str(desk / "run"), str(desk / "photos" / "test"), "--features"]) == 2
    assert "--features: a table on the screen has no room for them" in capsys.readouterr().err
