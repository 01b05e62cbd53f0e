"""Packed sounds: what is put in comes out."""

import numpy as np
import torch

from ftaug.audio.packed import BEGIN, END, HEADER, MOST_MASKS, Box, boxes, pack, waves


def test_holds_waveform_ends_and_masks():
    wave = np.arange(5, dtype=np.float32)
    row = pack(wave, 1, 4, [Box(0, 2, 0.25, 0.5), Box(1, 3, 0, 1)])
    batch = torch.from_numpy(np.stack([row, pack(wave[::-1], 0, 5)]))
    assert batch.shape == (2, HEADER + 5)
    assert batch[:, [BEGIN, END]].tolist() == [[1, 4], [0, 5]]
    np.testing.assert_array_equal(waves(batch), [wave, wave[::-1]])
    assert boxes(batch).shape == (2, MOST_MASKS, 4)
    assert boxes(batch)[0, :2].tolist() == [[0, 2, 0.25, 0.5], [1, 3, 0, 1]]
    assert not boxes(batch)[0, 2:].any()
    assert Box(0, 2, 0.25, 0.5).later(10) == Box(10, 12, 0.25, 0.5)
