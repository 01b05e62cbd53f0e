"""ResNet-20 with one block a stage: PyTorch takes seconds to export the whole one."""

import pytest

from ftaug.image.backbones import networks


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
