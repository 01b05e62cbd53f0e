"""A small residual network on log-mel spectrograms."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn


class Block(nn.Module):
    """Two 3×3 convolutions beside a shortcut, which is a 1×1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Add the output of the convolutions to the shortcut."""
        inner = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return cast(Tensor, self.relu(inner + self.shortcut(x)))


class ResidualNetwork(nn.Module):
    """Four residual blocks, a convolution over all frequencies, and one over time: 0.36 million parameters."""

    def __init__(self, classes: int, mels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 24, 5, 2, padding=2, bias=False)
        self.bn1 = nn.BatchNorm2d(24)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = Block(24, 24, 1)
        self.layer2 = Block(24, 48, 2)
        self.layer3 = Block(48, 96, 2)
        self.conv2 = nn.Conv2d(96, 128, (-(-mels // 8), 3), padding=(0, 1), bias=False)
        self.bn2 = nn.BatchNorm2d(128)
        self.fc = nn.Linear(128, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Compute logits (N, classes) from normalized spectrograms (N, 1, mels, frames)."""
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return cast(Tensor, self.fc(x.mean(dim=(2, 3))))
