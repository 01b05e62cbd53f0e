"""The spectrogram module: padding and masks are zero, and neither the batch nor autocast changes an answer."""

import numpy as np
import pytest
import torch
from sounds import noise, preprocessing

from ftaug.audio.front_ends import FRONT_ENDS
from ftaug.audio.log_mel import LogMel
from ftaug.audio.packed import Box, pack

each = pytest.mark.parametrize("name", FRONT_ENDS)


def batch(*rows):
    return torch.from_numpy(np.stack(rows))


@each
def test_padding_is_zero_whatever_it_holds(name):
    module, wave = LogMel(preprocessing(front_end=name)), noise(1.0)
    silent = wave.copy()
    silent[8000:] = 0
    first, second = module(batch(pack(wave, 0, 8000), pack(silent, 0, 8000)))
    frames = first.shape[2]
    assert (first[:, :, frames // 2 + 1 :] == 0).all()
    assert (first[:, :, : frames // 2 - 2] != 0).float().mean() > 0.99
    np.testing.assert_array_equal(first[:, :, : frames // 2 - 2], second[:, :, : frames // 2 - 2])


@each
def test_a_sound_is_the_same_alone_and_in_a_batch(name):
    module = LogMel(preprocessing(front_end=name))
    rows = [pack(noise(1.0, seed=seed), 0, 16_000 - 3000 * seed) for seed in range(3)]
    together = module(batch(*rows))
    for row, one in zip(rows, together, strict=True):
        torch.testing.assert_close(module(batch(row))[0], one, atol=1e-5, rtol=0)


def test_masks_are_zero_and_nothing_else_changes():
    module = LogMel(preprocessing(mels=32))
    boxes = [Box(0, 16_000, 0.25, 0.5), Box(4000, 8000, 0, 1)]
    plain, masked = module(batch(pack(noise(), 0, 16_000), pack(noise(), 0, 16_000, boxes)))
    hidden = masked == 0
    bands, frames = hidden[0].all(dim=1), hidden[0].all(dim=0)
    assert bands.nonzero().flatten().tolist() == list(range(8, 16))
    seconds = frames.nonzero().flatten() / 100 + 0.0125
    assert 0.25 <= seconds.min() < 0.26 and 0.49 < seconds.max() < 0.5
    torch.testing.assert_close(masked[~hidden], plain[~hidden])


def test_three_channels_are_equal():
    result = LogMel(preprocessing())(batch(pack(noise(), 0, 16_000)))
    assert result.shape == (1, 3, 32, 98)
    assert (result[:, :1] == result).all()


def test_autocast_does_not_round_the_spectrum():
    module, packed = LogMel(preprocessing()), batch(pack(noise(), 0, 16_000))
    with torch.autocast("cpu", torch.bfloat16):
        rounded = module(packed)
    torch.testing.assert_close(rounded, module(packed))
