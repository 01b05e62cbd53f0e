"""Spectrograms and waveforms as planes."""

import numpy as np
import torch

from ftaug.audio.explainers.plane import plane_of


def test_a_spectrogram_is_cut_into_cells_as_long_as_high():
    plane = plane_of(torch.zeros(1, 3, 64, 98))
    rows, columns = plane.bounds(8)
    assert rows.tolist() == list(range(0, 65, 8))
    assert len(columns) == 13 and columns[-1] == 98
    assert len(plane_of(torch.zeros(1, 1, 128, 1024)).bounds(8)[1]) == 17, "at most twice as many"
    assert [len(bounds) for bounds in plane_of(torch.zeros(1, 1, 4, 3)).bounds(8)] == [5, 4], "no empty cells"


def test_a_waveform_is_a_plane_with_one_row():
    sample = torch.arange(1, 12, dtype=torch.float32)[None]  # a length, and ten samples
    plane = plane_of(sample)
    assert plane.values.shape == (1, 1, 1, 10)
    assert torch.equal(plane.as_input(plane.values), sample)
    both = plane.as_input(torch.cat([plane.values, 0 * plane.values]))
    assert both[:, 0].tolist() == [1, 1] and not both[1, 1:].any()
    rows, columns = plane.bounds(3)
    assert rows.tolist() == [0, 1]
    np.testing.assert_array_equal(columns, [0, 2, 3, 5, 7, 8, 10])
