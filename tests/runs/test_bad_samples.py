"""Samples that cannot be read are an error, or one list of them is left out for the whole life of a run."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ftaug.cli import run
from ftaug.config.experiment import SkipBadSamples
from ftaug.engine.loading.batches import Failure
from ftaug.engine.loading.data_record import SAMPLES_FILE, RecordedData, fingerprints, to_csv
from ftaug.engine.loading.split import load_splits
from ftaug.engine.loading.split_notes import notes_of
from ftaug.errors import BadData, StorageError
from ftaug.experiment_file import load
from ftaug.runs.bad_samples import readable
from ftaug.runs.data_check import unreadable

EXPERIMENT = """
data:
  train: {image_folder: {path: photos}}
  val: {split: 25%}
  test: {image_folder: {path: more}}
  batch_size: 8
  workers: 0
  bad_samples: {skip: 10%}
backbone: {resnet20: {weights: none}}
train: {epochs: 1}
"""
BAD = {"photos/a/3.png", "photos/b/7.png", "more/b/1.png"}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """40 and 8 pictures, of which three are broken in different ways."""
    monkeypatch.chdir(tmp_path)
    for folder, count in (("photos", 20), ("more", 4)):
        for label, name in enumerate("ab"):
            for number in range(count):
                path = Path(folder, name, f"{number}.png")
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = np.random.default_rng([count, label, number]).integers(0, 255, (8, 8, 3), np.uint8)
                Image.fromarray(pixels).save(path)
    Path("photos/a/3.png").write_text("<html>")
    Path("photos/b/7.png").write_bytes(Path("photos/b/7.png").read_bytes()[:100])
    Path("more/b/1.png").write_bytes(b"")
    Path("e.yaml").write_text(EXPERIMENT)
    return tmp_path


def names(data):
    return {str(Path(name).relative_to(Path.cwd())) for split in data.values() for name in split.names()}


def read(*overrides):
    experiment = load("e.yaml", overrides)
    return readable(experiment, load_splits(experiment.data, experiment.seed))


def test_the_same_samples_are_left_out_with_any_number_of_workers(desk):
    data, parallel = read(), read("data.workers=2")
    everything = {str(path) for path in Path().rglob("*.png")}
    assert names(data) == everything - BAD
    assert {p: part.ids.tolist() for p, part in data.items()} == {p: part.ids.tolist() for p, part in parallel.items()}
    for part in data.values():
        assert [part.labels(i)[0] for i in range(len(part))] == [Path(name).parent.name for name in part.names()]


def test_the_split_of_the_others_does_not_change(desk):
    before, after = load_splits(load("e.yaml").data, 0), read()
    for purpose, part in before.items():
        assert [name for name in part.names() if str(Path(name).relative_to(desk)) not in BAD] == [
            *after[purpose].names()
        ]


def test_a_run_finds_the_list_again_in_its_folder(desk, tmp_path):
    data = read()
    (tmp_path / SAMPLES_FILE).write_text(to_csv(data))
    recorded = RecordedData(tmp_path, load("e.yaml").data, data["train"].task, fingerprints(data))
    for purpose in data:
        assert recorded.change(purpose) == ""
        assert recorded[purpose].fingerprint == data[purpose].fingerprint
        assert recorded[purpose].left_out == data[purpose].left_out
    assert notes_of(recorded) == notes_of(data)
    Image.new("RGB", (8, 8)).save("photos/a/99.png")
    changed = RecordedData(tmp_path, load("e.yaml").data, data["train"].task, fingerprints(data))
    assert "1 sample added (a/99.png)" in changed.change("train")
    assert [*changed["train"].names()] == [*data["train"].names()]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("error", None),
        ("skip", "3 of 48 samples cannot be read, and data.bad_samples allows 1% of them; fix or delete them, or set "
         "data.bad_samples: {skip: 7%}"),
        ("{skip: 6%}", "data.bad_samples allows 6% of them"),
        ("{skip: 2}", "data.bad_samples allows 2; fix"),
        ("{skip: 3}", None),
        ("{skip: 0.0625}", None),
    ],
)  # fmt: skip
def test_at_most_as_many_as_are_allowed(desk, setting, words):
    if words is None:
        assert sum(map(len, read(f"data.bad_samples={setting}").values())) == (48 if setting == "error" else 45)
        return
    with pytest.raises(BadData) as error:
        read(f"data.bad_samples={setting}")
    *named, last = map(str, error.value.problems)
    assert words in last
    assert {str(Path(line.partition(".png: ")[0] + ".png").relative_to(desk)) for line in named} == BAD


def test_one_percent_is_the_default(desk):
    for number in range(100):
        for folder in ("a", "b"):
            Image.new("L", (8, 8), number).save(f"photos/{folder}/x{number}.png")
    Path("photos/b/7.png").unlink()
    assert sum(map(len, read("data.bad_samples=skip", "data.train.image_folder.path=photos").values())) == 245
    assert load("e.yaml", ["data.bad_samples={skip: 1%}"]).data.bad_samples == SkipBadSamples(0.01)


def test_a_failing_disk_is_no_bad_sample(desk):
    part = load_splits(load("e.yaml").data, 0)["train"]
    with pytest.raises(StorageError):
        unreadable(part, 0, Failure(StorageError("input/output error")))


def test_a_run_leaves_them_out_and_says_so(desk, capsys):
    assert run(["train", "e.yaml", "--run-dir", "r", "--device", "cpu"]) == 0
    errors = capsys.readouterr().err
    assert "read all 48 samples: 3 cannot be read" in errors
    assert "test: 1 sample left out, which cannot be read: " in errors
    with Path("r", "samples.csv").open(newline="") as file:
        left_out = sorted(row["key"] for row in csv.DictReader(file) if row["split"].endswith("(cannot be read)"))
    assert left_out == ["a/3.png", "b/1.png", "b/7.png"]
    assert run(["evaluate", "r", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["split"], report["samples"], report["left_out"]) == ("test", 7, 1)
    assert run(["train", "e.yaml", "--run-dir", "r", "--device", "cpu"]) == 0
    assert "already complete" in capsys.readouterr().err
    assert run(["train", "e.yaml", "data.bad_samples=error", "--run-dir", "q", "--device", "cpu"]) == 65
    assert not Path("q", "complete.json").exists()
