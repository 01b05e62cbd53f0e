import os

import numpy as np
import pytest

from ftaug.data.packed import Packed
from ftaug.data.shards import index
from ftaug.data.shards.extents import Extents, Shard
from ftaug.data.shards.index import ShardIndex, StoredSamples, index_or_recall
from ftaug.data.shards.labels import Labeled
from ftaug.interfaces.data import Task


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setattr(index, "WORTH_KEEPING", 2)
    return folder


@pytest.fixture
def shard(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(b"0123456789")
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


def build(path, groups=None):
    extents = Extents((Shard.of(path),), np.zeros(2, np.int32), np.array([1, 4]), np.array([2, 3]))
    labeled = Labeled(np.array([1, 0]), Task(("x", "y")), groups, ("a note",))
    return ShardIndex.of(Packed.of([b"x/1.jpg", b"y/2.jpg"]), extents, labeled, ("3 files ignored",))


def test_samples_are_read_named_and_keyed(shard):
    samples = StoredSamples(build(shard))
    assert [samples.content(i) for i in range(len(samples))] == [b"12", b"456"]
    assert samples.key(1) == "y/2.jpg" and samples.name(1) == f"{shard}/y/2.jpg"
    assert samples.notes == ("3 files ignored", "a note") and samples.places.tolist() == [[0, 1], [0, 4]]
    assert samples.targets.tolist() == [1, 0] and samples.task.classes == ("x", "y") and samples.groups is None


@pytest.mark.parametrize("groups", [None, np.array([0, 0])])
def test_an_index_is_recalled_until_a_shard_or_setting_changes(shard, groups):
    builds = []

    def recall(*settings):
        return index_or_recall([shard], settings, lambda: builds.append(settings) or build(shard, groups))

    first, second = recall(1), recall(1)
    assert builds == [(1,)]
    assert (first.fingerprint, first.notes, first.task) == (second.fingerprint, second.notes, second.task)
    assert second.names[1] == b"y/2.jpg" and second.extents.shards == first.extents.shards
    assert StoredSamples(second).content(1) == b"456"
    assert np.array_equal(first.groups, second.groups) if groups is not None else second.groups is None
    recall(2)
    os.utime(shard, (1_600_000_001, 1_600_000_001))
    recall(1)
    assert builds == [(1,), (2,), (1,)]


def test_an_index_of_few_samples_or_new_files_is_not_cached(shard, own_cache, monkeypatch):
    os.utime(shard)
    index_or_recall([shard], (), lambda: build(shard))
    monkeypatch.setattr(index, "WORTH_KEEPING", 3)
    os.utime(shard, (1_600_000_000, 1_600_000_000))
    index_or_recall([shard], (), lambda: build(shard))
    assert not list(own_cache.rglob("*.npz"))
