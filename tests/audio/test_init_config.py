"""`ftaug init` on folders and tables of sounds, of which the file then trains."""

import json
import shutil

import pytest
from sounds import write_classes

from ftaug.cli import run
from ftaug.config.dump import to_plain
from ftaug.experiment_file import load


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_classes(tmp_path / "tones", count=4)
    return tmp_path


def rows(place):
    return [(file.relative_to(place), file.parent.name) for file in sorted(place.rglob("*.wav"))]


def test_a_folder(place, capsys):
    assert run(["init", "tones"]) == 0, capsys.readouterr().err
    text = (place / "tones.yaml").read_text()
    assert "# 12 training sounds of 3 classes, of about 0.3 s:" in text
    assert "Listen: ftaug preview THIS_FILE -o page.html" in text
    experiment = load(place / "tones.yaml")
    assert experiment.modality == "audio"
    assert experiment.backbone.name == "tiny_audio"
    assert experiment.backbone.settings == {"seconds": 0.5, "windows": 1, "weights": "words"}
    assert [op.name for op in experiment.augment] == ["shift", "gain", "noise", "time_mask", "frequency_mask"]


@pytest.mark.parametrize(("header", "setting"), [("path", {"audio": "path"}), ("clip", {"audio": "clip"})])
def test_a_table(place, capsys, header, setting):
    lines = [f"{path},{label}" for path, label in rows(place)]
    (place / "t.csv").write_text("\n".join([f"{header},label", *lines]))
    assert run(["init", "t.csv", "--backbone", "resnet20", "--weights", "none"]) == 0, capsys.readouterr().err
    experiment = load(place / "t.yaml")
    assert experiment.data.train.name == "audio_table"
    assert setting.items() <= to_plain(experiment.data.train.settings).items()
    backbone = experiment.backbone.settings
    assert (backbone["network"], backbone["seconds"], backbone["windows"], backbone["rate"]) == (
        "resnet20",
        0.5,
        1,
        8000,
    )


def test_the_small_network_can_be_requested(place, capsys):
    assert run(["init", "tones", "--backbone", "tiny_audio", "--weights", "none"]) == 0, capsys.readouterr().err
    assert load(place / "tones.yaml").backbone.settings["weights"] == "none"
    assert run(["init", "tones", "--backbone", "tiny_audio", "--weights", "word", "-o", "x.yaml"]) == 2
    assert "--weights of 'tiny_audio' must be words, none or a file" in capsys.readouterr().err


def test_a_manifest(place, capsys):
    lines = [{"audio_filepath": str(p), "offset": 0.0, "duration": 0.2, "label": label} for p, label in rows(place)]
    (place / "t.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert run(["init", "t.jsonl"]) == 0, capsys.readouterr().err
    assert load(place / "t.yaml").data.train.settings["audio"] is None


def test_says_what_is_wrong(place, capsys):
    for file in place.rglob("*.wav"):
        file.write_bytes(b"x")
    assert run(["init", "tones"]) == 65
    assert "none of the sounds checked can be read, such as" in capsys.readouterr().err
    for file in place.rglob("*.wav"):
        shutil.move(file, file.with_suffix(".mp4"))
    assert run(["init", "tones"]) == 65
    assert ".mp4 is a video; convert it, such as by: ffmpeg -i IN.mp4 OUT.flac" in capsys.readouterr().err
    (place / "t.csv").write_text("path,label\nno/a.wav,x\nno/b.wav,y\n")
    assert run(["init", "t.csv"]) == 66
    assert "column 'path' names sounds such as no/a.wav, which are not below" in capsys.readouterr().err
