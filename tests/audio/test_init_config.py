"""`ftaug init` on folders and tables of sounds, of which the file then trains."""

import json
import shutil

import pytest
import sound_networks as networks
import soundfile
from sounds import noise, tone, write_classes

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


def test_sounds_that_people_do_not_hear_keep_their_rate(place, capsys):
    for name, hertz in (("noctule", 20_000), ("pipistrelle", 45_000)):
        for number in range(4):
            wave = tone(hertz, 0.2, 192_000) + noise(0.2, 192_000, seed=number, level=0.01)
            (place / "bats" / name).mkdir(parents=True, exist_ok=True)
            soundfile.write(place / "bats" / name / f"{number}.wav", wave, 192_000)
    assert run(["init", "bats"]) == 0, capsys.readouterr().err
    assert load(place / "bats.yaml").backbone.settings["rate"] == 192_000
    assert run(["init", "bats", "--backbone", "tiny_audio", "-o", "small.yaml"]) == 0
    assert run(["inspect", "small.yaml"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "which the network does not hear at its 16,000 Hz; a backbone that can: {spectrogram: {rate: 192000" in said


def test_the_small_network_can_be_requested(place, capsys):
    assert run(["init", "tones", "--backbone", "tiny_audio", "--weights", "none"]) == 0, capsys.readouterr().err
    assert load(place / "tones.yaml").backbone.settings["weights"] == "none"
    assert run(["init", "tones", "--backbone", "tiny_audio", "--weights", "word", "-o", "x.yaml"]) == 2
    assert "--weights of 'tiny_audio' must be words, none or a file" in capsys.readouterr().err


@pytest.mark.parametrize("family", ["ast", "wav2vec2"])
def test_a_network_of_transformers_trains_without_an_edit(place, capsys, family):
    networks.write(place / "network", family)
    assert run(["init", "tones", "--backbone", "network", "-o", "x.yaml"]) == 0, capsys.readouterr().err
    experiment = load("x.yaml")
    assert experiment.backbone.name == "hf"
    assert experiment.backbone.settings["path"] == str(place / "network")
    assert run(["train", "x.yaml", "train.epochs=1", "data.workers=0", "--run-dir", "r"]) == 0, capsys.readouterr().err
    assert json.loads((place / "r" / "metrics.jsonl").read_text().splitlines()[-1])["val"]["accuracy"] >= 0


@pytest.mark.parametrize(
    ("backbone", "code", "message"),
    [
        ("hf", 2, "--backbone hf: name the network instead, as a folder (./my-network) or by its name on the hub"),
        ("hf/network", 2, "--backbone hf: name the network instead"),
        ("tiny-audio", 2, "--backbone: no image backbone 'tiny-audio'; did you mean 'tiny_audio'?\n"),
        ("./no", 66, "--backbone: no model in ./no: expected a folder with config.json, preprocessor_config.json and"),
        ("half", 66, "--backbone: no model in half: expected a folder with config.json, preprocessor_config.json and"),
        (
            "texts",
            65,
            "--backbone: texts is a 'bert', which is not read: use AST, whisper, wav2vec2, hubert, wavlm or uni",
        ),
        ("empty", 66, "--backbone: empty has no model.safetensors; write it with save_pretrained, or name --weights\n"),
    ],
)
def test_what_no_network_of_transformers_is(place, capsys, backbone, code, message):
    networks.write(place / "network", "hubert")
    for name, file in (("half", "preprocessor_config.json"), ("empty", "model.safetensors")):
        shutil.copytree("network", name)
        (place / name / file).unlink()
    shutil.copytree("network", "texts")
    (place / "texts" / "config.json").write_text('{"model_type": "bert"}')
    assert run(["init", "tones", "--backbone", backbone]) == code
    (line,) = capsys.readouterr().err.splitlines(keepends=True)
    assert message in line
    assert not (place / "tones.yaml").exists()


def test_random_weights_need_no_file_of_weights(place, capsys):
    networks.write(place / "network", "hubert")
    (place / "network" / "model.safetensors").unlink()
    assert run(["init", "tones", "--backbone", "./network", "--weights", "none"]) == 0, capsys.readouterr().err
    assert load("tones.yaml").backbone.settings["weights"] == "none"


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
