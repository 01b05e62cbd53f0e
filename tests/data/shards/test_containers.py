"""Archives, Parquet files and datasets on disk are recognized by names alone."""

import pytest

from ftaug.data.shards.containers import container_at


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["train-0.tar", "notes.txt"], "shards"),
        (["a.ZIP"], "shards"),
        (["a.tar.gz"], "shards"),
        (["train-0.parquet", "README.md"], "parquet"),
        (["state.json", "data-0.arrow"], "hf_disk"),
        (["dataset_dict.json", "train/state.json"], "hf_disk"),
        (["cat/1.jpg", "backup.zip"], None),
        ([".hidden.tar", "1.jpg"], None),
        ([], None),
    ],
)
def test_folders(tmp_path, names, kind):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert container_at(tmp_path) == kind


def test_files(tmp_path):
    kinds = {name: container_at(tmp_path / name) for name in ("a.tar", "b.parquet", "c.csv")}
    assert kinds == {"a.tar": "shards", "b.parquet": "parquet", "c.csv": None}
