"""PatchCamelyon on a tiny HDF5 file, against torchvision."""

import pickle
import sys

import numpy as np
import pytest
from torchvision.datasets import PCAM

from ftaug.errors import BadData, MissingInput, Unavailable
from ftaug.image.datasets.pcam import pcam


def fill(root, split: str = "valid"):
    h5py = pytest.importorskip("h5py")
    (root / "pcam").mkdir()
    prefix = root / "pcam" / f"camelyonpatch_level_2_split_{split}"
    rng = np.random.default_rng(0)
    with h5py.File(f"{prefix}_x.h5", "w") as file:
        file["x"] = rng.integers(0, 256, (5, 96, 96, 3), np.uint8)
    with h5py.File(f"{prefix}_y.h5", "w") as file:
        file["y"] = np.array([0, 1, 1, 0, 1], np.uint8).reshape(5, 1, 1, 1)
    return prefix


def test_pictures_and_labels_are_those_of_torchvision(tmp_path):
    fill(tmp_path)
    samples = pickle.loads(pickle.dumps(pcam("val", path=tmp_path)))
    oracle = PCAM(tmp_path, "val")
    assert len(samples) == len(oracle) == 5 and samples.task.classes == ("no tumour", "tumour")
    for index, (picture, label) in enumerate(oracle):
        assert np.array_equal(samples.read(index), np.asarray(picture)) and samples.targets[index] == label


def test_a_damaged_file_is_named(tmp_path):
    prefix = fill(tmp_path)
    samples = pcam("val", path=tmp_path)
    prefix.with_name(prefix.name + "_x.h5").write_bytes(b"broken")
    with pytest.raises(BadData, match=r"valid_x\.h5\[2\]: cannot be read"):
        samples.read(2)


def test_a_missing_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(Unavailable, match="pip install h5py"):
        pcam("train", path=tmp_path)


def test_missing_data_names_the_folder_and_the_setting(tmp_path):
    pytest.importorskip("h5py")
    with pytest.raises(MissingInput, match=r"pcam is not in .*download: true"):
        pcam("train", path=tmp_path)
