"""Digits: scikit-learn's pictures, in a partition that never changes."""

import gzip
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_digits

from ftaug.errors import BadData, MissingInput
from ftaug.image.datasets.digits import digits


def test_the_splits_part_all_of_the_digits():
    splits = [digits(name) for name in ("train", "val", "test")]
    positions = np.concatenate([samples.positions for samples in splits])
    assert np.array_equal(np.sort(positions), np.arange(1797))
    assert [len(samples) for samples in splits] == [1078, 360, 359]


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_pictures_targets_and_names_are_those_of_the_source(split):
    source = load_digits()
    samples = digits(split)
    for index in range(0, len(samples), 17):
        position = samples.positions[index]
        picture = samples.read(index)
        assert picture.dtype == np.uint8 and picture.shape == (8, 8)
        assert np.abs(picture / 255 - source.images[position] / 16).max() < 0.5 / 255 + 1e-9
        assert samples.task.classes[samples.targets[index]] == str(source.target[position])
        assert samples.name(index) == f"digits[{position}]"


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_every_class_has_its_share(split):
    counts = np.bincount(digits(split).targets)
    assert len(counts) == 10 and counts.max() - counts.min() <= 6


def test_per_class_cuts_the_training_split_only_and_nests():
    few, more, other = (
        digits("train", per_class=4),
        digits("train", per_class=9),
        digits("train", per_class=4, subset_seed=1),
    )
    assert np.bincount(few.targets).tolist() == [4] * 10
    assert set(few.positions) <= set(more.positions) <= set(digits("train").positions)
    assert set(few.positions) != set(other.positions)
    assert len({few.fingerprint, more.fingerprint, other.fingerprint, digits("train").fingerprint}) == 4
    assert len(digits("val", per_class=4)) == 360


def test_too_many_per_class_is_refused():
    with pytest.raises(BadData, match="per_class must be at most 104"):
        digits("train", per_class=105)


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """A package of scikit-learn with a copy of its file, which a test may change."""
    file = tmp_path / "datasets" / "data" / "digits.csv.gz"
    file.parent.mkdir(parents=True)
    file.write_bytes((Path(sklearn.__file__).parent / "datasets" / "data" / "digits.csv.gz").read_bytes())
    spec = ModuleSpec("sklearn", None, is_package=True)
    spec.submodule_search_locations.append(str(tmp_path))
    monkeypatch.setattr("ftaug.image.datasets.digits.find_spec", lambda name: spec)
    return file


def test_other_digits_are_noted(installed):
    assert digits("val").notes == ()
    rows = gzip.decompress(installed.read_bytes()).decode().splitlines()
    installed.write_bytes(gzip.compress("\n".join(["1" + rows[0][1:], *rows[1:]]).encode()))
    (note,) = digits("val").notes
    assert note.startswith("scikit-learn ") and "has other digits" in note


def test_a_missing_file_is_named(installed):
    installed.unlink()
    with pytest.raises(MissingInput, match=r"digits\.csv\.gz is missing; reinstall scikit-learn"):
        digits("val")
