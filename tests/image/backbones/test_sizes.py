import pytest
from torch import nn

from ftaug.config.experiment import ModelInput
from ftaug.errors import ExperimentError
from ftaug.image.backbones.sizes import check_runs


class Failing(nn.Module):
    def __init__(self, text):
        super().__init__()
        self.text = text

    def forward(self, x):
        raise RuntimeError(self.text)


def test_a_size_that_the_network_does_not_take_is_named():
    with pytest.raises(ExperimentError, match=r"input\.size: net does not support 8×8 pixels \(Kernel size"):
        check_runs("net", Failing("Kernel size can't be greater than actual input size"), ModelInput(size=8))


def test_a_lack_of_memory_is_not_the_fault_of_the_size():
    with pytest.raises(RuntimeError, match="allocate memory"):
        check_runs("net", Failing("DefaultCPUAllocator: can't allocate memory: you tried ..."), ModelInput(size=8))
