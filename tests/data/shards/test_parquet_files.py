import os

import numpy as np
import pytest
from hf_files import picture_table, write_parquet

from ftaug.data.shards import parquet_files
from ftaug.data.shards.extents import Shard
from ftaug.data.shards.parquet_files import RowGroups, bytes_of, parquet_chunks, parquet_schema
from ftaug.errors import BadData

pyarrow = pytest.importorskip("pyarrow")

RNG = np.random.default_rng(0)
PICTURES = [(f"{n}.jpg", RNG.bytes(int(RNG.integers(0, 3000)))) for n in range(50)]


def chunks(path):
    return [*parquet_chunks(path, ("image", "label"))]


def written(tmp_path, **options):
    return write_parquet(tmp_path / "t.parquet", picture_table(PICTURES, label=[*range(50)]), 20, **options)


@pytest.mark.parametrize(
    "options", [{}, {"data_page_size": 1000}, {"write_page_index": True, "data_page_version": "2.0"}]
)
def test_uncompressed_values_are_found_in_the_file(tmp_path, options):
    path = written(tmp_path, **options)
    content = path.read_bytes()
    values = []
    for chunk in chunks(path):
        sizes = [len(value.as_buffer()) for value in bytes_of(chunk.columns["image"])]
        values += [content[at : at + size] for at, size in zip(chunk.offsets.tolist(), sizes, strict=True)]
    assert values == [picture for _, picture in PICTURES]


@pytest.mark.parametrize("options", [{"compression": "snappy"}, {"compression": "none", "use_dictionary": True}])
def test_compressed_or_encoded_values_are_read_by_row_groups(tmp_path, options, monkeypatch):
    path = written(tmp_path, **options)
    parts = chunks(path)
    assert [chunk.offsets for chunk in parts] == [None] * 3
    assert [(chunk.row_group, chunk.row, len(chunk.columns["label"])) for chunk in parts] == [
        (0, 0, 20),
        (1, 0, 20),
        (2, 0, 10),
    ]
    numbers = np.arange(50)
    places = RowGroups((Shard.of(path),), np.zeros(50, np.int32), numbers % 20, numbers, numbers // 20, "image")
    reads = []
    read_bytes = parquet_files._read_bytes
    monkeypatch.setattr(parquet_files, "_read_bytes", lambda *key: reads.append(key[1]) or read_bytes(*key))
    monkeypatch.setattr(parquet_files, "_HELD", parquet_files._HeldRowGroups())
    assert [places.read(i) for i in range(50)] == [picture for _, picture in PICTURES] and reads == [0, 1, 2]
    assert places.read(3) == PICTURES[3][1] and reads == [0, 1, 2]
    monkeypatch.setattr(parquet_files, "HELD_BYTES", 0)
    monkeypatch.setattr(parquet_files, "_HELD", parquet_files._HeldRowGroups())
    for index in (3, 45, 3, 4):
        places.read(index)
    assert reads == [0, 1, 2, 0, 2, 0]
    assert len({*places.keys.tolist()}) == 50 and places.places.tolist() == [[n // 20, n % 20] for n in range(50)]
    os.utime(path, ns=(1, 1))
    with pytest.raises(BadData, match="its shard has changed since the start"):
        places.read(0)


def test_a_damaged_file_is_an_error(tmp_path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    for read in (parquet_schema, chunks):
        with pytest.raises(BadData, match=r"t.parquet is not a Parquet file, or is damaged"):
            read(path)
