"""Smaller networks in place of ftaug's own, which are trained and exported in a fraction of their time."""

import pytest

from ftaug.image.backbones import networks
from ftaug.text.backbones import tiny_text


class SmallResNet(networks.ResNet20):
    """Stages and features of ResNet-20, with 3 blocks of its 9."""

    def __init__(self, classes: int) -> None:
        super().__init__(classes)
        self.layer1, self.layer2, self.layer3 = self.layer1[:1], self.layer2[:1], self.layer3[:1]


@pytest.fixture(scope="module")
def small_resnet():
    """`backbone: resnet20` without weights is the small one in this module."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(networks, "ResNet20", SmallResNet)
        yield


@pytest.fixture(scope="module")
def small_text():
    """`backbone: tiny_text` without weights is smaller in this module: 2 layers of width 16."""
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tiny_text, "SHAPE", shape)
        yield
