"""Texts in Parquet and Arrow files, with the class names of their schema."""

import pytest
from hf_files import classes, with_features, write_disk, write_parquet

from ftaug.errors import BadData
from ftaug.text.datasets.columns import hf_disk, text_parquet
from ftaug.text.datasets.table import text_table

pyarrow = pytest.importorskip("pyarrow")

TEXTS = ["fine", "dull", "naïve", "fine"]


def table(texts=TEXTS, labels=(1, 0, 0, 1)):
    features = {"text": {"dtype": "string", "_type": "Value"}, "label": classes("neg", "pos")}
    return with_features(pyarrow.table({"text": texts, "label": [*labels]}), features)


def test_texts_labels_names_and_groups(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", table(), compression="snappy")
    samples = text_parquet("train", path=path)
    assert [samples.read(i).first for i in range(4)] == TEXTS and samples.targets.tolist() == [1, 0, 0, 1]
    assert samples.task.classes == ("neg", "pos") and samples.groups.tolist() == [0, 1, 2, 0]
    assert samples.name(3) == f"{path}:4" == text_table("train", path=path).name(3)
    assert samples.key(2) == text_table("train", path=path).key(2)


def test_a_folder_of_arrow_files_has_the_same_samples(tmp_path):
    samples = text_parquet("train", path=write_parquet(tmp_path / "a.parquet", table(), compression="snappy"))
    disk = hf_disk("train", path=write_disk(tmp_path / "d", table().slice(0, 3), table().slice(3)))
    assert disk.fingerprint == samples.fingerprint and disk.targets.tolist() == samples.targets.tolist()
    assert disk.name(3) == f"{tmp_path}/d/data-00001-of-00002.arrow:1"


def test_empty_texts(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", table(["fine", "", None, "dull"]), compression="snappy")
    with pytest.raises(BadData, match=r"2 of 4 texts are empty: .*a\.parquet:2, .*a\.parquet:3; fill them in"):
        text_parquet("train", path=path)
    samples = text_parquet("train", path=path, empty="skip")
    assert samples.targets.tolist() == [1, 1] and samples.name(1).endswith(":4")
