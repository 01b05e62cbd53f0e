"""The experiment file of a training of a second, and the network that it names."""

from pathlib import Path

EXPERIMENT = """
name: tiny
plugins: [network.py]
data:
  train: {digits: {per_class: 2}}
  val: {split: 20%}
  batch_size: 8
  workers: 0
backbone: tiny
augment: [{rotate: {degrees: 15}}]
optimizer: {adamw: {weight_decay: 0.05}}
lr: {peak: 3e-3}
train: {epochs: 2, precision: fp32, ema: 0.9, save_every: 1 steps}
"""
NETWORK = """
from torch import nn

from ftaug.image import backbone
from ftaug.image.backbones.stages import by_rules
from ftaug.interfaces.model import Backbone

PREPROCESSING = {"mean": [0.5] * 3, "std": [0.5] * 3, "size": [8, 8], "resize": None, "interpolation": "bilinear"}


@backbone.register
def tiny(classes, input):
    \"\"\"A network of two layers.\"\"\"
    network = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(72, len(classes)))
    stages = by_rules(network, [("0|1", "stem"), ("3", "head")])
    return Backbone(network, stages, PREPROCESSING, lambda: None)
"""


def write_files(folder: Path) -> None:
    """Write the experiment file and the plugin with the network."""
    (folder / "network.py").write_text(NETWORK)
    (folder / "tiny.yaml").write_text(EXPERIMENT)
