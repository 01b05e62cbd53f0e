"""Where and how a network computes."""

import torch
from torch import nn

from ftaug.engine.device import in_channels_last


def test_convolutions_are_laid_out_for_their_kernels_beside_tensors_of_five_dimensions():
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv3d(3, 8, 3), nn.Linear(4, 2))
    network.register_buffer("mask", torch.zeros(1, 2, 3, 4, 5))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    in_channels_last(network)
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
