"""`train.cache_features`: the same training on stored features; their room is told before, stale ones are not used."""

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import sound_networks
from processes import Command
from safetensors.numpy import load_file
from sounds import write_classes

from ftaug.cli import run
from ftaug.engine.loading import sample_cache

HEAD = ["unfreeze=[head]", "augment+=rotate", "augment+={translate: {x: 0.1}}", "train.epochs=4", "data.batch_size=16"]

TEXTS = """
modality: text
data: {train: {text_table: {path: texts.csv}}, val: {split: 25%}, batch_size: 16, workers: 0}
backbone: {tiny_text: {weights: none, max_length: 16}}
unfreeze: [head]
augment: [swap]
lr: {peak: 1e-2}
train: {epochs: 3, precision: fp32}
"""


def train(desk, folder, *overrides):
    return run(["train", str(desk / "colors.yaml"), "--run-dir", str(folder), "--device", "cpu", *HEAD, *overrides])


def rows(folder):
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "time"} for row in found]


def tensors(folder):
    return load_file(folder / "best" / "model.safetensors")


@pytest.mark.parametrize("learning", [["head"], ["layer3", "head"]])
def test_as_many_views_as_epochs_train_the_same(desk, place, learning):
    # behind a head of zeros the first gradients are tiny; Adam would make their rounding as large as any other
    settings = [f"unfreeze=[{', '.join(learning)}]", "head_init=library", "optimizer=sgd"]
    assert train(desk, place / "plain", *settings) == 0
    assert train(desk, place / "stored", *settings, "train.cache_features={views: 4}", "data.workers=1") == 0
    for plain, stored in zip(rows(place / "plain"), rows(place / "stored"), strict=True):
        assert plain.keys() == stored.keys() and plain["step"] == stored["step"]
        one, other = (row.get("loss") or row["val"]["loss"] for row in (plain, stored))
        np.testing.assert_allclose(one, other, rtol=1e-3)
    one, other = tensors(place / "plain"), tensors(place / "stored")
    assert all(np.allclose(one[name], other[name], rtol=1e-2, atol=1e-3) for name in one)
    assert not list((place / "memory").rglob("train*"))


def test_texts_are_stored_as_pictures_are(place, capsys):
    (place / "texts.yaml").write_text(TEXTS)
    texts = [f"{label},number {number} is {label} to all of them" for number in range(40) for label in ("odd", "even")]
    (place / "texts.csv").write_text("\n".join(["label,text", *texts]))
    for name, more in (("plain", []), ("stored", ["train.cache_features={views: 3}"])):
        assert run(["train", str(place / "texts.yaml"), "--run-dir", str(place / name), *more]) == 0
    assert "3 views of 60 samples, 128 values each; " in capsys.readouterr().err
    for plain, stored in zip(rows(place / "plain"), rows(place / "stored"), strict=True):
        one, other = (row.get("loss") or row["val"]["loss"] for row in (plain, stored))
        np.testing.assert_allclose(one, other, rtol=1e-3)
    auto = ["train.cache_features=auto", "unfreeze=[layer2, head]"]
    assert run(["train", str(place / "texts.yaml"), "--run-dir", str(place / "auto"), *auto]) == 0
    assert "auto → not stored" in capsys.readouterr().err


SOUNDS = """
modality: audio
data: {{train: {{audio_folder: {{path: sounds}}}}, val: {{split: 25%}}, batch_size: 4, workers: 0}}
backbone: {{hf: {{path: network{settings}}}}}
unfreeze: {unfreeze}
augment: [gain, {{noise: {{snr: [10, 30]}}}}]
head_init: library
optimizer: sgd
lr: {{peak: 1e-2}}
train: {{epochs: 2, precision: fp32}}
"""


@pytest.mark.parametrize(
    ("family", "unfreeze", "values"),
    [("ast", "[head]", 48), ("wavlm", "[head]", 24), ("wav2vec2", "[layer2, head]", "1,250")],
)
def test_sounds_are_stored_as_pictures_are(place, capsys, family, unfreeze, values):
    """Also of several windows of a sound, and where dropout in the layers that learn draws random numbers."""
    write_classes(place / "sounds", seconds=0.4, count=4)
    sound_networks.write(place / "network", family)
    settings = "" if family in sound_networks.FIXED else ", seconds: 0.25, windows: 2"
    (place / "sounds.yaml").write_text(SOUNDS.format(settings=settings, unfreeze=unfreeze))
    for name, more in (("plain", []), ("stored", ["train.cache_features={views: 2}"])):
        assert run(["train", str(place / "sounds.yaml"), "--run-dir", str(place / name), *more]) == 0
    assert f"2 views of 9 samples, {values} values each; " in capsys.readouterr().err
    for plain, stored in zip(rows(place / "plain"), rows(place / "stored"), strict=True):
        one, other = (row.get("loss") or row["val"]["loss"] for row in (plain, stored))
        np.testing.assert_allclose(one, other, rtol=1e-3)
    one, other = tensors(place / "plain"), tensors(place / "stored")
    assert all(np.allclose(one[name], other[name], rtol=1e-2, atol=1e-4) for name in one)
    auto = ["train.cache_features=auto", "unfreeze=[layer1, layer2, head]"]
    assert run(["train", str(place / "sounds.yaml"), "--run-dir", str(place / "auto"), *auto]) == 0
    assert "auto → not stored" in capsys.readouterr().err


def test_views_are_taken_in_turn(desk, place):
    """With one view, every epoch sees what the first one saw: the same as training without any draw after it."""
    assert train(desk, place / "one", "train.cache_features={views: 1}", "lr.schedule=constant") == 0
    assert train(desk, place / "two", "train.cache_features={views: 2}", "lr.schedule=constant") == 0
    one, two = ([row["loss"] for row in rows(place / name) if "loss" in row] for name in ("one", "two"))
    epoch = len(one) // 4
    assert one[:epoch] == two[:epoch]
    assert one[epoch:] != two[epoch:]


def test_thawing_goes_on_from_samples(desk, place):
    stages = "unfreeze=[{layers: [head]}, {from: 50%, layers: [layer3], lr: 0.1}]"
    assert train(desk, place / "plain", stages) == 0
    assert train(desk, place / "stored", stages, "train.cache_features=auto") == 0
    plain, stored = ([row["loss"] for row in rows(place / name) if "loss" in row] for name in ("plain", "stored"))
    np.testing.assert_allclose(stored, plain, rtol=2e-2)
    one, other = tensors(place / "plain"), tensors(place / "stored")
    assert all(np.array_equal(one[name], other[name]) for name in one if name.startswith(("conv1", "layer1")))


def test_an_average_of_the_weights_is_measured_on_features_too(desk, place):
    assert train(desk, place / "plain", "train.ema=0.9") == 0
    assert train(desk, place / "stored", "train.ema=0.9", "train.cache_features={views: 4}") == 0
    plain, stored = ([row["val"]["loss"] for row in rows(place / name) if "val" in row] for name in ("plain", "stored"))
    np.testing.assert_allclose(stored, plain, rtol=1e-3)


def test_features_on_disk_serve_the_next_run_and_no_other(desk, place, capsys):
    stored = "train.cache_features={views: 2, place: disk}"
    assert train(desk, place / "first", stored) == 0
    folders = list((place / "caches" / "ftaug" / "features").iterdir())
    assert len(folders) == 1
    written = (folders[0] / "train.1").stat().st_mtime_ns
    assert train(desk, place / "second", stored, "lr.peak=1e-3") == 0
    assert (folders[0] / "train.1").stat().st_mtime_ns == written
    assert train(desk, place / "third", stored, "augment.0.rotate.degrees=3") == 0
    assert len(list((place / "caches" / "ftaug" / "features").iterdir())) == 2
    assert "2 views of 42 samples, 64 values each; disk (" in capsys.readouterr().err
    assert run(["cache", "clear"]) == 0
    assert not list((place / "caches").rglob("train"))


def test_killed_while_features_are_made_the_same_command_ends_with_the_same_bits(desk, place):
    stored = "train.cache_features={views: 3, place: disk}"
    assert train(desk, place / "whole", stored) == 0
    assert run(["cache", "clear"]) == 0
    command = ["train", str(desk / "colors.yaml"), "--run-dir", str(place / "killed"), "--device", "cpu", *HEAD, stored]
    process = Command(command)
    while not list((place / "caches").rglob("train.0")) and process.poll() is None:
        time.sleep(0.002)
    assert process.kill() == -signal.SIGKILL, process.output
    assert train(desk, place / "killed", stored) == 0
    one, other = tensors(place / "killed"), tensors(place / "whole")
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert rows(place / "killed") == rows(place / "whole")


def test_too_little_room_is_said_before_anything_is_written(desk, place, monkeypatch, capsys):
    monkeypatch.setattr(sample_cache, "_free", lambda folder: 1000)
    assert train(desk, place / "run", "train.cache_features={views: 2, place: disk}") == 74
    assert "train.cache_features.place: disk has too little space at " in capsys.readouterr().err
    assert not (place / "caches" / "ftaug" / "features").exists()
    assert not (place / "run").exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["unfreeze=[all]"], "train.cache_features stores what frozen layers give, and unfreeze is all; name fewer"),
        (["mix=mixup"], "train.cache_features stores what single samples give, and mix: mixup blends them; drop one"),
        (["train.cache_features={views: 0}"], "train.cache_features.views must be a whole number of 1 or more; got 0"),
        (["unfreeze=[stem, head]"], "train.cache_features: the trainable layers begin at the input; leave it out"),
    ],
)
def test_contradictions(overrides, message, desk, place, capsys):
    assert train(desk, place / "run", "train.cache_features={views: 2}", *overrides) == 2
    assert message in capsys.readouterr().err
    assert not Path(place / "run").exists()
