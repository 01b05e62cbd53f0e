import hashlib
import json
from types import SimpleNamespace

import pytest

from ftaug.errors import ExperimentError, RunFolderTaken
from ftaug.runs.packed_shards import PackedShards

IDENTITY = {"data": {"train": "f"}, "size": 5000}


class Data:
    """Samples of a kilobyte each."""

    def files(self, index):
        return {f"{index}.jpg": b"%d" % (index % 10) * 1000}

    def settings(self):
        return {"labels_from": "folder"}


def write(path, stop_at=None, identity=IDENTITY):
    shards = PackedShards.open(path, identity, 5000)
    done = shards.packed("train")
    written = shards.write("train", Data(), [*range(10)])
    for count in written:
        if count == stop_at:
            written.close()
            break
    return shards, done


def content(path):
    return {file.name: file.read_bytes() for file in path.iterdir() if not file.name.startswith(".")}


def test_archives_have_the_size_and_an_index_with_hashes(tmp_path):
    write(tmp_path)
    index = json.loads((tmp_path / "index.json").read_text())
    entry = index["splits"]["train"]
    assert index["identity"] == IDENTITY and entry["samples"] == 10 and entry["complete"]
    assert [shard["samples"] for shard in entry["shards"]] == [3, 3, 3, 1]
    for shard in entry["shards"]:
        data = (tmp_path / shard["file"]).read_bytes()
        assert shard["bytes"] == len(data) <= 5000 + 1024 and shard["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("stop_at", range(1, 10))
def test_it_continues_with_the_same_bytes(tmp_path, stop_at):
    (tmp_path / "whole").mkdir()
    (tmp_path / "part").mkdir()
    write(tmp_path / "whole")
    write(tmp_path / "part", stop_at)
    assert not list((tmp_path / "part").glob(".tmp*"))
    assert write(tmp_path / "part")[1] == (stop_at - 1) // 3 * 3
    assert content(tmp_path / "part") == content(tmp_path / "whole")
    assert write(tmp_path / "part")[1] == 10


def test_a_damaged_archive_is_written_again(tmp_path):
    write(tmp_path)
    before = content(tmp_path)
    (tmp_path / "train-000001.tar").write_bytes(b"cut")
    assert write(tmp_path)[1] == 3 and content(tmp_path) == before
    (tmp_path / "train-000003.tar").unlink()
    assert write(tmp_path)[1] == 9 and content(tmp_path) == before


def test_another_data_set_or_folder_is_refused(tmp_path):
    write(tmp_path, 4)
    with pytest.raises(ExperimentError, match=r"holds other samples or settings .size 5000 → 6000.; choose another"):
        write(tmp_path, identity={**IDENTITY, "size": 6000})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(RunFolderTaken, match="is not empty and holds no packed samples"):
        write(tmp_path / "other")


def test_a_sample_larger_than_an_archive_has_one_of_its_own(tmp_path):
    large = SimpleNamespace(files=lambda index: {f"{index}.jpg": bytes(9000)}, settings=dict)
    shards = PackedShards.open(tmp_path, IDENTITY, 5000)
    assert [*shards.write("train", large, [0, 1])] == [1, 2]
    assert [shard["samples"] for shard in shards.splits["train"]["shards"]] == [1, 1]
