import os
import pickle
import threading

import numpy as np
import pytest
from processes import in_child

from ftaug.data.shards import extents
from ftaug.data.shards.extents import Extents, Shard
from ftaug.errors import BadData, MissingInput


@pytest.fixture
def stored(tmp_path):
    shards = []
    for name in "ab":
        (tmp_path / name).write_bytes(f"{name}0123456789".encode())
        shards.append(Shard.of(tmp_path / name))
    return Extents(tuple(shards), np.array([0, 1, 0], np.int32), np.array([0, 2, 5]), np.array([2, 3, 0]))


def test_reads_bytes_at_offsets_also_in_other_processes_and_threads(stored):
    expected = [b"a0", b"123", b""]
    assert [stored.read(i) for i in range(len(stored))] == expected
    copy = pickle.loads(pickle.dumps(stored))
    assert in_child(lambda: [copy.read(i) for i in range(3)] != expected) == 0
    wrong = []
    threads = [
        threading.Thread(target=lambda: wrong.extend(i for i in range(300) if stored.read(i % 3) != expected[i % 3]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_shard_that_changed_is_an_error(stored, tmp_path):
    stored.read(0)
    os.utime(tmp_path / "a", ns=(1, 1))
    with pytest.raises(BadData, match="its shard has changed since the start"):
        stored.read(0)
    assert stored.read(1) == b"123" and not stored.shards[0].unchanged and stored.shards[1].unchanged
    (tmp_path / "b").write_bytes(b"b")
    with pytest.raises(BadData, match="its shard has changed"):
        stored.read(1)


def test_a_deleted_shard_is_missing(stored, tmp_path):
    (tmp_path / "a").unlink()
    extents._open.cache_clear()
    with pytest.raises(MissingInput, match="a: the file has been deleted since the start"):
        stored.read(0)
    with pytest.raises(MissingInput, match="a: cannot be read: No such file"):
        Shard.of(tmp_path / "a")


def test_keys_are_equal_for_the_same_place_alone(stored):
    again = Extents(stored.shards, np.array([1, 0], np.int32), np.array([2, 2]), np.array([3, 3]))
    assert len({*stored.keys.tolist()}) == 3
    assert np.isin(again.keys, stored.keys).tolist() == [True, False]
