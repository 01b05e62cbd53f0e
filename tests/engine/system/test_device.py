"""Where and how a network computes."""

import pytest
import torch
from torch import nn

from ftaug.engine.system.device import choose, in_channels_last, prepare_process
from ftaug.errors import ExperimentError


def test_convolutions_are_laid_out_for_their_kernels_beside_tensors_of_five_dimensions():
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv3d(3, 8, 3), nn.Linear(4, 2))
    network.register_buffer("mask", torch.zeros(1, 2, 3, 4, 5))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    in_channels_last(network)
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_fp32_is_not_tf32():
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    prepare_process(choose("cpu", "fp32"))
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.parametrize("key", ["train.precision", "evaluate.precision"])
def test_fp16_on_a_processor_names_its_key(key):
    with pytest.raises(ExperimentError, match=rf"^{key}: fp16 needs a CUDA device; on a CPU use fp32 or bf16"):
        choose("cpu", "fp16", key=key)
