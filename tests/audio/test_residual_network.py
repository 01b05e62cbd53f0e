"""The embedded network: its size, any number of mels and frames, and its shortcuts."""

import pytest
import torch

from ftaug.audio.residual_network import Block, ResidualNetwork


def test_is_small():
    assert sum(p.numel() for p in ResidualNetwork(20, 40).parameters()) < 400_000


@pytest.mark.parametrize(("mels", "frames"), [(40, 98), (40, 9), (32, 48), (41, 101)])
def test_takes_spectrograms_of_any_size(mels, frames):
    assert ResidualNetwork(3, mels).eval()(torch.zeros(2, 1, mels, frames)).shape == (2, 3)


def test_a_block_without_convolutions_is_its_shortcut():
    block = Block(4, 4, 1).eval()
    torch.nn.init.zeros_(block.conv2.weight)
    x = torch.rand(1, 4, 6, 6)
    torch.testing.assert_close(block(x), x)
    assert Block(4, 8, 2).eval()(x).shape == (1, 8, 3, 3)
