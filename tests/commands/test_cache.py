"""`data.cache` changes no result, takes no more than there is, and `ftaug cache clear` leaves nothing of it."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from processes import Command

from ftaug.cli import run
from ftaug.data import cache_dirs
from ftaug.engine.loading import sample_cache

AUGMENT = ["augment+=random_resized_crop", "augment+=rotate", "data.batch_size=16", "train.epochs=1"]


def train(desk, folder, *overrides):
    return run(["train", str(desk / "colors.yaml"), "--run-dir", str(folder), "--device", "cpu", *AUGMENT, *overrides])


def weights(folder):
    return (folder / "best" / "model.safetensors").read_bytes()


def test_the_same_weights_with_and_without_for_any_number_of_workers(desk, place, capsys):
    assert train(desk, place / "plain", "train.epochs=2") == 0
    for number, (where, workers) in enumerate([("disk", 0), ("disk", 2), ("ram", 1), ("auto", 0)]):
        folder = place / f"run{number}"
        assert train(desk, folder, f"data.cache={where}", f"data.workers={workers}", "train.epochs=2") == 0
        assert weights(folder) == weights(place / "plain")
    shown = capsys.readouterr().err
    assert "disk (0.2 MB of " in shown
    assert "auto → ram (0.2 MB of " in shown
    assert list((place / "memory").rglob("*.1")) == []
    assert len(list((place / "caches").rglob("*.1"))) == 60
    chosen = [json.loads((place / f"run{i}" / "model.json").read_text())["chosen"]["cache"] for i in range(4)]
    assert chosen == ["disk", "disk", "ram", "ram"]


def test_it_does_not_make_another_experiment(desk, place, monkeypatch):
    monkeypatch.chdir(place)
    for override in ("data.cache=null", "data.cache=disk"):
        assert run(["train", str(desk / "colors.yaml"), "--device", "cpu", override]) == 0
    assert len(list((place / "runs").iterdir())) == 1


def test_list_and_clear(desk, place, capsys):
    assert train(desk, place / "run", "data.cache=disk") == 0
    capsys.readouterr()
    assert run(["cache", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    (folder,) = [path for path in listed["caches"] if "decoded" in path]
    assert listed["caches"][folder] == sum(path.stat().st_size for path in Path(folder).rglob("*.*"))
    assert run(["cache", "clear"]) == 0
    assert capsys.readouterr().out.startswith("removed 1 cache, 0.")
    assert list((place / "caches").rglob("*.1")) == []
    assert run(["cache", "list"]) == 0
    assert capsys.readouterr().err == "no caches\n"


@pytest.mark.parametrize("where", ["ram", "disk"])
def test_too_little_room_is_told_before_anything_is_written(desk, place, capsys, monkeypatch, where):
    monkeypatch.setattr(sample_cache, "_free", lambda folder: 100_000)
    assert train(desk, place / "run", f"data.cache={where}") == 74
    shown = capsys.readouterr().err
    assert f"data.cache: {where} has too little space at " in shown
    assert "0.2 MB of 0.1 MB free" in shown
    assert not (place / "caches").exists()
    assert train(desk, place / "run", "data.cache=auto") == 0
    assert "auto → off (0.2 MB do not fit into half of the free space)" in capsys.readouterr().err


def test_pictures_in_memory_gain_nothing(desk, place, capsys):
    digits = ["data.train={digits: {per_class: 3}}", "data.val={split: 33%}", "data.test=null"]
    assert train(desk, place / "run", *digits, "data.cache=ram") == 2
    assert "data.cache: ram has no benefit: the samples are in memory already" in capsys.readouterr().err
    assert train(desk, place / "run", *digits, "data.cache=auto") == 0
    assert "auto → off (the samples are in memory already)" in capsys.readouterr().err


def test_no_file_system_in_memory(desk, place, capsys, monkeypatch):
    monkeypatch.setattr(cache_dirs, "MEMORY", place / "none")
    assert train(desk, place / "run", "data.cache=ram") == 69
    assert "data.cache: ram needs a file system in memory at /dev/shm; use disk" in capsys.readouterr().err


def test_what_a_killed_run_left_in_memory_goes_with_the_next(desk, place):
    left = place / "memory" / f"ftaug-{os.getuid()}" / "run-4194304"
    left.mkdir(parents=True)
    assert train(desk, place / "run", "data.cache=ram") == 0
    assert list(left.parent.iterdir()) == []


def test_killed_while_it_is_built(desk, place):
    assert train(desk, place / "plain") == 0
    command = ["train", str(desk / "colors.yaml"), "--run-dir", str(place / "run"), "--device", "cpu", *AUGMENT]
    started = Command([*command, "data.cache=disk", "data.workers=2"])
    while not list((place / "caches").rglob("*.1")) and started.poll() is None:
        time.sleep(0.005)
    assert started.kill(group=True) == -signal.SIGKILL, started.output
    assert list((place / "caches").rglob("*.1"))
    assert train(desk, place / "run", "data.cache=disk") == 0
    assert weights(place / "run") == weights(place / "plain")
