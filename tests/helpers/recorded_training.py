"""A training of a second, recorded with the states that a crash can leave."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sklearn.datasets  # noqa: F401 - here and not in each of the forked processes
import torch._dynamo  # noqa: F401
from crash_states import ERRORS, SHORT, Recording, record
from run_bits import run_bits

import ftaug.runs.report.plots
import ftaug.runs.run_report.after_training
import ftaug.runs.train_file
import ftaug.runs.training  # noqa: F401

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
TRAIN = ["train", "tiny.yaml", "--no-report", "--device", "cpu"]


@dataclass
class Recorded:
    """A recorded run, and what it ended with."""

    recording: Recording
    whole: dict


def recorded(folder: Path, chosen: Callable = lambda number: (), mutate: Callable = int) -> Recorded:
    """Train in a new folder; `chosen` are the failures to try at an operation, `mutate` plants a defect first."""
    root = folder / "root"
    root.mkdir()
    (root / "network.py").write_text(NETWORK)
    (root / "tiny.yaml").write_text(EXPERIMENT)
    recording = record(TRAIN, root, folder / "copies", chosen, mutate)
    assert recording.code == 0, (folder / "copies" / "stderr").read_text()
    return Recorded(recording, run_bits(next((root / "runs").iterdir())))


def every(number: int) -> list[tuple[int | str, bool]]:
    """Each error, once and for good, and a short write."""
    return [*((error, lasting) for error in ERRORS for lasting in (False, True)), (SHORT, False)]
