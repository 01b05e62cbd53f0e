"""`ftaug augment` writes what training would see, once, whatever happens to it on the way."""

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from ftaug.cli import run
from ftaug.commands.augment import hashed
from ftaug.engine import copies
from ftaug.engine.copies import Copies
from ftaug.engine.portion import portions
from ftaug.engine.setup import prepared
from ftaug.image.datasets.folder import image_folder
from ftaug.image.datasets.table import image_table
from ftaug.interfaces import Task
from ftaug.load import load
from ftaug.runs.written import folder_names

EXPERIMENT = """
seed: 3
data:
  train: {image_folder: {path: photos}}
  val: {split: 25%}
  workers: 0
backbone: {resnet20: {weights: none}}
augment:
  - horizontal_flip
  - rotate
  - random_resized_crop
"""
COUNTS = {"cat": 8, "dog": 12, "left arrow": 4}


@pytest.fixture
def experiment(tmp_path):
    rng = np.random.default_rng(0)
    for name, count in COUNTS.items():
        for number in range(count):
            (tmp_path / "photos" / name).mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(256, size=(40, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    path = tmp_path / "animals.yaml"
    path.write_text(EXPERIMENT)
    return path


def augment(experiment, *arguments, output="out"):
    path = experiment.parent / output
    return run(["augment", str(experiment), *arguments, "--output", str(path)]), path


def rows(path):
    with (path / "provenance.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def manifest(path):
    return json.loads((path / "augment.json").read_text())


def content(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*.*")) if file.is_file()}


def training_data(experiment, *overrides):
    loaded = load(experiment, overrides)
    train = portions(loaded.data, loaded.seed)["train"]
    return prepared(loaded, train, loaded.augment, loaded.backbone(train.task.classes).preprocessing)


def digest(experiment, capsys, *arguments):
    capsys.readouterr()
    assert run(["augment", str(experiment), "--hash", *arguments]) == 0
    return capsys.readouterr().out.strip()


def test_the_copies_are_what_training_sees(experiment, capsys):
    code, path = augment(experiment, "--copies", "3")
    assert (code, capsys.readouterr().out) == (0, f"{path}\n")
    data = training_data(experiment)
    written = rows(path)
    assert len(written) == 3 * len(data.portion) == 3 * 18
    position = {str(sample): place for place, sample in enumerate(data.portion.ids)}
    for row in written:
        (seen,), _ = data.sample(position[row["sample"]], int(row["copy"]))
        np.testing.assert_array_equal(np.asarray(Image.open(path / row["path"])), seen)
        assert row["source"] == data.portion.samples.name(int(row["sample"]))
        assert Path(row["source"]).parent.name == row["label"] == Path(row["path"]).parent.name
        assert row["seed"] == "3"


def test_validation_samples_are_not_used(experiment):
    _, path = augment(experiment)
    loaded = load(experiment)
    val = portions(loaded.data, loaded.seed)["val"]
    assert {row["source"] for row in rows(path)}.isdisjoint(val.names())


def test_image_folder_reads_the_folders(experiment):
    _, path = augment(experiment, "--copies", "2")
    samples = image_folder("train", path=path)
    assert samples.task.classes == ("cat", "dog", "left arrow")
    assert Counter(samples.targets.tolist()) == {0: 12, 1: 18, 2: 6}


def test_image_table_reads_the_table(experiment):
    _, path = augment(experiment, "--format", "table")
    samples = image_table("train", path=path / "provenance.csv")
    assert samples.task.classes == ("cat", "dog", "left arrow")
    labels = {row["path"]: row["label"] for row in rows(path)}
    for index in range(len(samples)):
        relative = str(Path(samples.name(index)).relative_to(path))
        assert labels[relative] == samples.task.classes[samples.targets[index]]


def test_several_labels_are_read_again(experiment):
    photos = sorted((experiment.parent / "photos").rglob("*.png"))
    lines = [f"{file},{'round|red' if i % 3 == 0 else 'red' if i % 3 == 1 else ''}" for i, file in enumerate(photos)]
    (experiment.parent / "t.csv").write_text("path,label\n" + "\n".join(lines).replace(f"{experiment.parent}/", ""))
    table = 'data.train={image_table: {path: t.csv, labels_separator: "|"}}'
    settings = (table, "loss=binary_cross_entropy", "evaluate.metrics=[f1]", "evaluate.best=f1")
    assert augment(experiment, *settings)[0] == 2, "folders hold one label each"
    code, path = augment(experiment, *settings, "--format", "table", output="several")
    assert code == 0
    source = training_data(experiment, *settings).portion
    samples = image_table("train", path=path / "provenance.csv", labels_separator=manifest(path)["labels_separator"])
    assert samples.task == source.task
    np.testing.assert_array_equal(samples.targets, source.targets)


def test_the_digest_is_the_same_however_it_is_made(experiment, capsys):
    one = digest(experiment, capsys, "--copies", "2")
    assert len(one) == 64
    assert one == digest(experiment, capsys, "--copies", "2", "--workers", "1")
    assert one == digest(experiment, capsys, "--copies", "2", "--workers", "2")
    data = training_data(experiment)
    numbers = copies.numbers(data.portion, 2, balance=False)
    assert one == hashed(Copies(data, as_files=False), numbers, 2, start="spawn")
    _, path = augment(experiment, "--copies", "2", "--workers", "1")
    assert manifest(path)["complete"] == {"samples": 36, "digest": one}
    assert one != digest(experiment, capsys, "--copies", "2", "seed=4")
    assert one != digest(experiment, capsys, "--copies", "3")
    assert sorted(entry.name for entry in experiment.parent.iterdir()) == ["animals.yaml", "out", "photos"]


def test_what_an_op_draws_does_not_depend_on_the_others(experiment):
    _, whole = augment(experiment, "--copies", "4")
    _, fewer = augment(experiment, "--copies", "4", "~augment.0", output="fewer")
    some = 0
    for one, other in zip(rows(whole), rows(fewer), strict=True):
        drawn, without = json.loads(one["drawn"]), json.loads(other["drawn"])
        some += drawn.pop("horizontal_flip", None) is not None
        assert drawn == without
        assert {"rotate", "random_resized_crop"} == set(drawn)
        assert -15 <= drawn["rotate"]["degrees"] <= 15
    assert 0 < some < 72


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_continues_after_a_kill_and_ends_as_if_never_stopped(experiment, number, code):
    _, whole = augment(experiment, "--copies", "60", "--format", "table", output="whole")
    command = [
        sys.executable,
        "-c",
        "from ftaug.cli import main; main()",
        "augment",
        str(experiment),
        "--copies",
        "60",
        "--format",
        "table",
    ]
    path = experiment.parent / "killed"
    process = subprocess.Popen([*command, "--workers", "1", "--output", str(path)], stderr=subprocess.PIPE)
    while not (path / "files").is_dir() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    there = {file: file.stat().st_mtime_ns for file in (path / "files").glob("[0-9]*")}
    if number != signal.SIGKILL:
        assert 0 < len(there) < 18 * 60
        assert b"the same command continues" in said
    assert augment(experiment, "--copies", "60", "--format", "table", output="killed")[0] == 0
    kept = [file for file, modified in there.items() if file.stat().st_mtime_ns == modified]
    assert len(kept) >= len(there) - 1, "one file may have been written and not its row"
    assert content(path) == content(whole)


def test_a_full_disk_is_said_and_the_rest_follows(experiment, capsys, monkeypatch):
    written = Path.write_bytes

    def full(self, data):
        if self.name.endswith("-001.png") and "cat" in self.parts:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        return written(self, data)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        code, path = augment(experiment, "--copies", "2")
    assert code == 74
    assert "free some space" in capsys.readouterr().err
    assert manifest(path)["complete"] is None
    assert augment(experiment, "--copies", "2")[0] == 0
    augment(experiment, "--copies", "2", output="whole")
    assert content(path) == content(experiment.parent / "whole")


def test_a_file_that_was_changed_is_written_anew(experiment):
    _, path = augment(experiment)
    before = content(path)
    changed, gone, *_ = sorted(path.rglob("*.png"))
    changed.write_bytes(changed.read_bytes()[:-20])
    gone.unlink()
    assert augment(experiment)[0] == 0
    assert content(path) == before


def test_balance_gives_every_class_as_many(experiment, capsys):
    code = run(["augment", str(experiment), "--copies", "2", "--per-class", "balance", "--json", "-o", "x"])
    said = json.loads(capsys.readouterr().out)
    assert code == 0
    assert said["labels"] == {"cat": 18, "dog": 18, "left arrow": 18}
    _, path = augment(experiment, "--copies", "2", "--per-class", "balance")
    samples = Counter((row["label"], row["sample"]) for row in rows(path))
    for label in said["labels"]:
        numbers = [count for (of, _), count in samples.items() if of == label]
        assert max(numbers) - min(numbers) <= 1


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_flip_that_swaps_classes_writes_the_other_class(experiment):
    swap = "augment=[{horizontal_flip: {label_map: {cat: dog}}}]"
    _, path = augment(experiment, swap, "--copies", "4")
    swapped = 0
    for row in rows(path):
        source, flipped = Path(row["source"]).parent.name, "horizontal_flip" in json.loads(row["drawn"])
        other = {"cat": "dog", "dog": "cat"}.get(source, source)
        assert row["label"] == Path(row["path"]).parent.name == (other if flipped else source)
        swapped += row["label"] != source
    assert swapped > 10


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["data.val={image_folder: {path: photos}}", "-o", "x"], 2, "data.val: is the data of data.train"),
        ([], 2, "--output"),
        (["-o", "photos/more"], 2, "lies inside the data"),
        (["-o", "photos/../full"], 73, "is not empty"),
        (["--copies", "0", "-o", "x"], 2, "--copies"),
        (["augment.0.horizontal_flip.except=[catt]", "-o", "x"], 2, "no class 'catt'; did you mean 'cat'?"),
    ],
    ids=str,
)
def test_refusals(experiment, capsys, arguments, code, words):
    (experiment.parent / "full").mkdir()
    (experiment.parent / "full" / "letter.txt").write_text("mine")
    assert run(["augment", str(experiment), *arguments]) == code
    assert words in capsys.readouterr().err
    assert not (experiment.parent / "x").exists()


def test_the_folder_of_another_experiment_is_refused(experiment, capsys):
    _, path = augment(experiment)
    before = content(path)
    assert augment(experiment, "seed=9")[0] == 2
    assert "another experiment" in capsys.readouterr().err
    assert augment(experiment, "--copies", "2")[0] == 2
    assert "copies 1 → 2" in capsys.readouterr().err
    assert content(path) == before


def test_a_folder_in_use_is_refused(experiment, capsys):
    _, path = augment(experiment)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys; from pathlib import Path; from ftaug.runs.written import lock; "
            f"held = lock(Path({str(path)!r})); print('held', flush=True); sys.stdin.read()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout.readline() == b"held\n"
    assert augment(experiment)[0] == 73
    assert "another --output" in capsys.readouterr().err
    holder.communicate(timeout=20)


def test_what_may_change_a_class_is_said(experiment, capsys):
    augment(experiment, "mix=mixup")
    said = capsys.readouterr().err
    assert "caution: augment.0.horizontal_flip may turn 'left arrow' into its opposite" in said
    assert "mix: mixup is left out" in said


@pytest.mark.parametrize(
    "classes",
    [
        ("a/b", "..", ".hidden", "con.", " x ", "50%", "a:b", 'he said "no"'),
        ("Cat", "cat", "CAT"),
        ("caf\u00e9", "cafe\u0301"),
        ("日本", "ß", "emoji 🙂", "tab\there"),
    ],
    ids=str,
)
def test_the_names_of_folders_lead_back_to_the_classes(classes, tmp_path):
    names = folder_names(Task(classes))
    assert [unquote(names[name]) for name in classes] == list(classes)
    assert len({name.casefold() for name in names.values()}) == len(classes)
    for name in names.values():
        (tmp_path / "set" / name).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "set" / name / "1.png")
    assert {unquote(name) for name in image_folder("train", path=tmp_path / "set").task.classes} == set(classes)
