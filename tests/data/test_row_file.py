"""Rows are read back as they were written, whatever is selected."""

import numpy as np
from doctor_data import stored

from ftaug.data.row_file import RowFile


def test_rows_are_read_as_an_array_is():
    values = np.random.default_rng(0).integers(0, 256, (50, 7), np.uint8)
    rows = stored(values)
    assert len(rows) == 50
    shuffled = np.array([3, 4, 5, 49, 0, 4, 4, 3])
    for index in (slice(0, 8), slice(45, 99), slice(50, 60), shuffled, shuffled[:0]):
        assert np.array_equal(rows[index], values[index])


def test_a_selection_reads_the_same_file():
    values = np.arange(60, dtype=np.uint8).reshape(20, 3)
    chosen = np.array([2, 3, 4, 11, 19])
    selection = stored(values).take(chosen)
    assert len(selection) == 5
    assert np.array_equal(selection[1:4], values[chosen][1:4])
    assert np.array_equal(selection.take(np.array([4, 0]))[:], values[[19, 2]])


def test_a_file_without_rows():
    rows = RowFile(4).finish()
    assert len(rows) == 0
    assert rows[:10].shape == (0, 4)
