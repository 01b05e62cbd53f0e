"""The group normalization over what is no padding is torch's over a sound without padding."""

import torch
from torch import nn

from ftaug.audio.unpadded import UnpaddedNorm


def test_unpadded_norm_is_group_norm_of_each_sound_alone():
    torch.manual_seed(0)
    norm = nn.GroupNorm(3, 3)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    features, frames = torch.randn(2, 3, 20) + 2, torch.tensor([[20], [7]])
    masked = UnpaddedNorm(norm)
    assert [name for name, _ in masked.named_parameters()] == ["weight", "bias"]
    with masked.of(frames):
        result = masked(features)
    torch.testing.assert_close(result[0], norm(features[:1])[0])
    torch.testing.assert_close(result[1, :, :7], norm(features[1:, :, :7])[0])
    assert masked.frames is None
