"""inspect says what will learn, when and how fast, and draws it, without training or downloading."""

import json
import math

import pytest
from PIL import Image
from sounds import write_classes

from ftaug.cli import run as command
from ftaug.commands.inspect import inspect
from ftaug.errors import ExperimentError, MissingInput
from ftaug.experiment_file import load
from ftaug.hub.model_folder import has_weights

CONFIG = """
data: {train: digits, val: null, batch_size: 100}
backbone: {resnet20: {weights: none}}
unfreeze:
  - layers: [head]
  - {from: 2 epochs, layers: [layer3], lr: 0.5}
optimizer: {adamw: {weight_decay: 0.02}}
lr: {peak: 0.01, schedule: cosine, layer_decay: 0.8}
train: {epochs: 4}
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "staged.yaml"
    path.write_text(CONFIG)
    return path


def as_json(capsys, *arguments):
    inspect(*arguments, as_json=True)
    return json.loads(capsys.readouterr().out)


def test_json_says_what_learns_when_and_how_fast(config, capsys):
    report = as_json(capsys, config, [])
    total, per_epoch = report["steps"]["total"], report["steps"]["per_epoch"]
    assert per_epoch == math.ceil(report["data"]["train"] / 100)
    assert total == 4 * per_epoch
    rows = {row["stage"]: row for row in report["stages"]}
    assert [row["from_step"] for row in rows.values()] == [None, None, None, 2 * per_epoch, 0]
    assert rows["head"]["rate_at_peak"] == pytest.approx(0.01)
    at_thaw = 0.01 * 0.5 * 0.8 * (1 + math.cos(math.pi * 0.5)) / 2
    assert rows["layer3"]["rate_at_start"] == pytest.approx(at_thaw, rel=0.02)
    assert rows["layer3"]["rate_at_peak"] == rows["layer3"]["rate_at_start"]
    assert (rows["layer3"]["batch_norms"], rows["layer3"]["batch_norms_learn_from"]) == (6, 2 * per_epoch)
    assert rows["layer2"]["batch_norms_learn_from"] is None
    assert (rows["layer3"]["weight_decay"], rows["layer3"]["exempt"]) == (0.02, 6 * 2 * 64)
    assert rows["head"]["exempt"] == 10
    assert report["parameters"] == 269_722
    assert report["trainable"] == rows["layer3"]["parameters"] + 64 * 10 + 10


def test_a_stage_that_learns_in_parts_has_a_row_for_each(config, capsys):
    report = as_json(capsys, config, ["unfreeze=[norms, layer3.2, head]", "lr.layer_decay=1.0"])
    rows = [row for row in report["stages"] if row["stage"] == "layer3"]
    assert [row["from_step"] for row in rows] == [0, None]
    assert sum(row["parameters"] for row in report["stages"]) == report["parameters"]
    assert rows[0]["batch_norms_learn_from"] == 0


def test_text_names_every_stage_and_fits_a_pipe(config, capsys):
    inspect(config, [], as_json=False)
    text = capsys.readouterr().out
    for words in ("stem", "layer1", "from step", "frozen", "statistics fixed", "32×32", "269,722"):
        assert words in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 160


@pytest.mark.usefixtures("drawn_plots")
def test_a_picture_is_drawn_where_one_is_named_and_nowhere_else(config, capsys, tmp_path):
    folder = tmp_path / "runs" / "a"
    folder.mkdir(parents=True)
    (folder / "resolved.yaml").write_text(CONFIG)
    before = set(tmp_path.rglob("*"))
    assert "picture" not in as_json(capsys, config, [])
    assert command(["inspect", str(folder)]) == 0
    assert set(tmp_path.rglob("*")) == before
    assert command(["inspect", str(config), "--output", "out/rates.png"]) == 0
    assert capsys.readouterr().out.endswith("learning rates over the run: out/rates.png\n")
    with Image.open(tmp_path / "out" / "rates.png") as picture:
        assert picture.format == "PNG"
        assert len(picture.convert("RGB").getcolors(maxcolors=10**6)) > 10
    assert command(["inspect", str(config), "-o", "rates.pdf"]) == 2
    assert capsys.readouterr().err == "rates.pdf: must end in .png\n"


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(MissingInput, match="no resolved"):
        inspect(tmp_path, [], as_json=False)


def test_a_plan_that_cannot_be_meant_is_an_error_before_any_picture(config, tmp_path):
    with pytest.raises(ExperimentError, match="did you mean 'layer3'"):
        inspect(config, ["unfreeze=[layer4, head]"], as_json=False)
    assert not list(tmp_path.glob("*.png"))


def test_weights_are_not_loaded(config, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    report = as_json(capsys, config, ["backbone={resnet18: {weights: imagenet}}"])
    assert report["weights_stored"] is False
    assert not (tmp_path / "torch").exists()
    assert report["weights"] == "torchvision ResNet18_Weights.IMAGENET1K_V1"
    assert report["preprocessing"]["size"] == [224, 224]


def test_whether_the_weights_are_on_this_machine(config, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert as_json(capsys, config, [])["weights_stored"] is None
    assert as_json(capsys, config, ["backbone=resnet20"])["weights_stored"] is True
    assert as_json(capsys, config, ["backbone={resnet20: {weights: there.pth}}"])["weights_stored"] is False
    (tmp_path / "there.pth").touch()
    assert as_json(capsys, config, ["backbone={resnet20: {weights: there.pth}}"])["weights_stored"] is True
    inspect(config, ["backbone=resnet18"], as_json=False)
    assert "IMAGENET1K_V1 (not on this machine: training downloads them)" in capsys.readouterr().out
    cached = tmp_path / "torch" / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    cached.parent.mkdir(parents=True)
    cached.touch()
    inspect(config, ["backbone=resnet18"], as_json=False)
    assert "IMAGENET1K_V1 (on this machine)" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["timm/resnet18.a1_in1k", "someone/tiny-bert"])
def test_weights_in_the_cache_of_the_hub(tmp_path, monkeypatch, name):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    experiment = "data: {train: digits}\nbackbone: timm/resnet18\n"
    (tmp_path / "f.yaml").write_text(experiment)

    def stored() -> bool:
        if name == "someone/tiny-bert":
            return has_weights(name)
        return load(tmp_path / "f.yaml").backbone(("a", "b")).stored()

    assert stored() is False
    folder = tmp_path / f"models--{name.replace('/', '--')}"
    for file, content in {"refs/main": "abc", "snapshots/abc/model.safetensors": ""}.items():
        (folder / file).parent.mkdir(parents=True)
        (folder / file).write_text(content)
    assert stored() is True


def photo(path, red):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), (red, 0, 0)).save(path)


def test_all_samples_that_cannot_be_read_are_named_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for label in ("a", "b"):
        for number in range(5):
            photo(tmp_path / "photos" / label / f"{number}.jpg", number)
    (tmp_path / "f.yaml").write_text(
        "data: {train: {image_folder: {path: photos}}, val: {split: 40%}, batch_size: 4, workers: 1}\n"
        "backbone: {resnet20: {weights: none}}\ntrain: {epochs: 1}\n"
    )
    assert command(["inspect", "f.yaml", "--read"]) == 0
    assert capsys.readouterr().err.endswith("read all 10 samples\n")
    whole = (tmp_path / "photos" / "a" / "2.jpg").read_bytes()
    (tmp_path / "photos" / "a" / "2.jpg").write_bytes(whole[:-20])
    (tmp_path / "photos" / "a" / "4.jpg").write_text("<html>")
    (tmp_path / "photos" / "b" / "0.jpg").write_bytes(b"")
    assert command(["inspect", "f.yaml", "--read"]) == 65
    *named, said = capsys.readouterr().err.splitlines()
    assert said == "3 of 10 samples cannot be read; fix or delete them, or set data.bad_samples: skip"
    assert named.pop(0).endswith("read all 10 samples: 3 cannot be read")
    assert sorted(line.partition(".jpg: ")[0].rpartition("photos/")[2] for line in named) == ["a/2", "a/4", "b/0"]
    assert command(["inspect", "f.yaml", "--read", "--json"]) == 65
    bad = json.loads(capsys.readouterr().out)["bad_samples"]
    assert sorted(one["sample"].rpartition("photos/")[2] for one in bad) == ["a/2.jpg", "a/4.jpg", "b/0.jpg"]
    assert {one["split"] for one in bad} <= {"train", "val"}
    assert [one["error"] for one in bad if one["sample"].endswith("b/0.jpg")] == ["an empty file"]
    assert command(["inspect", "f.yaml", "--read", "--json", "data.bad_samples={skip: 30%}"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (len(report["bad_samples"]), sum(report["data"].values())) == (3, 7)
    assert command(["train", "f.yaml"]) == 65
    (line,) = (line for line in capsys.readouterr().err.splitlines() if ".jpg: " in line)
    assert line.endswith("; all such samples: ftaug inspect CONFIG --read")


def test_samples_that_are_where_they_should_not_be_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for part, label, name, red in [
        ("train", "a", "1", 0), ("train", "a", "2", 40), ("train", "a", "3", 40), ("train", "b", "1", 80),
        ("train", "b", "2", 0), ("val", "a", "1", 120), ("val", "b", "1", 80), ("val", "b", "2", 40),
    ]:  # fmt: skip
        photo(tmp_path / part / label / f"{name}.png", red)
    (tmp_path / "f.yaml").write_text(
        "data: {train: {image_folder: {path: train}}, val: {image_folder: {path: val}}, batch_size: 2, workers: 0}\n"
        "backbone: {resnet20: {weights: none}}\n"
    )
    inspect(tmp_path / "f.yaml", [], as_json=True, read=True)
    told = [line.replace(str(tmp_path), "") for line in json.loads(capsys.readouterr().out)["cautions"]]
    assert told == [
        "train: 1 sample is there twice with another label, such as /train/b/2.png (b), which is /train/a/1.png (a)",
        "val: 1 sample is in train too, such as /val/b/1.png, which is /train/b/1.png",
        "val: 1 sample is in train too with another label, such as /val/b/2.png (b), which is /train/a/2.png (a)",
    ]


def test_validation_on_the_training_data_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for label in ("a", "b"):
        for number in range(4):
            photo(tmp_path / "photos" / label / f"{number}.png", number)
    (tmp_path / "f.yaml").write_text(
        "data: {train: {image_folder: {path: photos}}, val: {split: 50%}, test: {image_folder: {path: photos}}, "
        "batch_size: 4}\nbackbone: {resnet20: {weights: none}}\n"
    )
    said = "the same data as train, so metrics say nothing about new samples"
    cautions = as_json(capsys, tmp_path / "f.yaml", [])["cautions"]  # the pictures are almost black, which is said too
    assert [caution for caution in cautions if "grey levels" not in caution] == [f"test: {said}"]


def test_what_labels_and_rows_look_like_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for number in range(12):
        photo(tmp_path / f"{number}.png", number)
    labels = ["a", "b", "a|b", "b|c", "c", "a|c"]
    (tmp_path / "t.csv").write_text("path,label\n" + "".join(f"{n}.png,{labels[n % 6]} \n" for n in range(10)))
    (tmp_path / "v.csv").write_text("path,label\n10.png,a\n./7.png,b\n3.png,b|c\n")
    (tmp_path / "f.yaml").write_text(
        "data: {train: {image_table: {path: t.csv}}, val: {image_table: {path: v.csv, classes: [a, b, b|c, c]}}, "
        "batch_size: 5}\nbackbone: {resnet20: {weights: none}}\n"
    )
    report = as_json(capsys, tmp_path / "f.yaml", [])
    assert report["classes"] == ["a", "a|b", "a|c", "b", "b|c", "c"]
    assert [line.replace(str(tmp_path), "") for line in report["cautions"] if "grey levels" not in line] == [
        "train: 3 of 6 classes look like several labels in one, such as 'a|b' and 'a|c'; for several labels a sample "
        'set labels_separator: "|"',
        "val: 2 samples are also in train, such as /7.png: metrics there say nothing about new samples",
    ]


def test_facts_of_sounds_are_shown_with_read(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_classes(tmp_path / "sounds", count=2)
    write_classes(tmp_path / "more", count=1, rate=16_000, seconds=0.5)
    for label in ("high", "low", "middle"):
        (tmp_path / "more" / label / "0.wav").rename(tmp_path / "sounds" / label / "9.wav")
    (tmp_path / "a.yaml").write_text(
        "modality: audio\ndata: {train: {audio_folder: {path: sounds}}, val: {split: 40%}, workers: 0}\n"
        "backbone: {spectrogram: {network: resnet20, weights: none, seconds: 0.5}}\n"
    )
    inspect(tmp_path / "a.yaml", [], as_json=True, read=True)
    facts = json.loads(capsys.readouterr().out)["facts"]
    assert facts["rate"]["counts"] == {"8000": 6, "16000": 3}
    assert facts["seconds"]["lowest"] == 0.3 and facts["seconds"]["highest"] == 0.5
    inspect(tmp_path / "a.yaml", [], read=True)
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith(" rate"))
    assert line.split() == ["rate", "8000", "8000", "8000", "16000", "16000", "8000:", "6,", "16000:", "3"]
