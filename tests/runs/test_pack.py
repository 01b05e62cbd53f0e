"""`ftaug pack` writes archives whose samples are those of the data set."""

import json

import numpy as np
import pytest
import yaml
from kinds import Pictures

from ftaug.engine.loading.split import load_splits
from ftaug.errors import Interrupted
from ftaug.experiment_file import load
from ftaug.interfaces.data import Shrink
from ftaug.runs import pack as packing
from ftaug.runs.pack import pack


def repacked(experiment, output, capsys, shrink=None, size=40_000):
    """The experiment that reads the archives, with the settings that pack prints."""
    result = pack(load(experiment), output, size, shrink)
    printed = capsys.readouterr().err.split("experiment file:\n")[1]
    document = yaml.safe_load(experiment.read_text())
    document["data"] |= yaml.safe_load(printed)["data"]
    (experiment.parent / "packed.yaml").write_text(yaml.safe_dump(document))
    return load(experiment.parent / "packed.yaml"), result


def assert_same_splits(experiment, other):
    before, after = (load_splits(each.data, each.seed) for each in (experiment, other))
    for split in ("train", "val"):
        assert before[split].ids.tolist() == after[split].ids.tolist()
        assert np.array_equal(before[split].targets, after[split].targets)
        assert before[split].task == after[split].task
    samples = [each["train"].samples for each in (before, after)]
    assert [samples[0].read(i) for i in range(len(samples[0]))] == [samples[1].read(i) for i in range(len(samples[0]))]
    return samples


def test_class_folders_have_the_same_digest_and_splits(tmp_path, capsys):
    experiment = Pictures(tmp_path, None).experiment
    other, result = repacked(experiment, tmp_path / "out", capsys)
    assert result["splits"]["train"]["samples"] == 24 and result["splits"]["train"]["shards"] > 1
    before, after = assert_same_splits(load(experiment), other)
    assert before.fingerprint == after.fingerprint
    first = after.targets[after.places[:, 0] == 0]
    assert len({*first.tolist()}) == 3  # the first archive holds samples of all classes


def test_tables_have_the_same_digest_and_splits(tmp_path, capsys):
    experiment = Pictures(tmp_path, None).experiment
    files = sorted((tmp_path / "photos").rglob("*.png"))
    rows = [f"{file.relative_to(tmp_path)},{'xy'[n % 2]}" for n, file in enumerate(files[:12])]
    (tmp_path / "t.csv").write_text("\n".join(["path,label", *rows]))
    experiment.write_text(experiment.read_text().replace("image_folder: {path: photos}", "image_table: {path: t.csv}"))
    before, after = assert_same_splits(load(experiment), repacked(experiment, tmp_path / "out", capsys)[0])
    assert before.fingerprint == after.fingerprint


def test_texts(tmp_path, capsys):
    for number in range(12):
        path = tmp_path / "texts" / ("good" if number % 3 else "bad") / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"a text with the number {number}")
    experiment = tmp_path / "texts.yaml"
    experiment.write_text("modality: text\ndata: {train: {text_folder: {path: texts}}}\nbackbone: tiny_text\n")
    other, _ = repacked(experiment, tmp_path / "out", capsys)
    assert "text_shards" in other.data.train.name
    assert_same_splits(load(experiment), other)


def test_large_pictures_are_reduced(tmp_path, capsys):
    experiment = Pictures(tmp_path, None).experiment
    other, _ = repacked(experiment, tmp_path / "out", capsys, Shrink(20, 90))
    samples = other.data.train("train")
    assert samples.key(0).endswith(".png.jpg") and samples.read(0).startswith(b"\xff\xd8")


def test_a_stop_leaves_whole_archives_and_the_same_command_continues(tmp_path, capsys, monkeypatch):
    experiment = Pictures(tmp_path, None).experiment
    pack(load(experiment), tmp_path / "whole", 40_000, None)

    class Stop:
        """A Ctrl-C after some samples."""

        asked = 0

        @property
        def reason(self):
            self.asked += 1
            return "Ctrl-C" if self.asked > 15 else None

        def __enter__(self):
            return self

        def __exit__(self, *error):
            """Nothing to restore."""

    with monkeypatch.context() as patched:
        patched.setattr(packing, "StopRequests", Stop)
        with pytest.raises(Interrupted, match=r"stopped by Ctrl-C with 1\d of 24 samples of train .* continues"):
            pack(load(experiment), tmp_path / "part", 40_000, None)
    pack(load(experiment), tmp_path / "part", 40_000, None)
    hashes = [json.loads((tmp_path / name / "index.json").read_text()) for name in ("whole", "part")]
    assert hashes[0] == hashes[1]
