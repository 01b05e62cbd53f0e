"""What tests write and read of runs."""

import json

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

from ftaug.cli import run

MODEL = {
    "classes": ["a"],
    "multi_label": False,
    "activation": "softmax",
    "preprocessing": {},
    "class_counts": [1],
}
"""Content of a model.json."""
STATUS = {"digest": "a", "attempt": 1, "step": 0, "deaths": 0, "running": False}
"""Content of a status.json."""


def noise(channel, seed):
    """A noisy 32×32 picture in which one channel leads."""
    picture = np.random.default_rng(seed).integers(0, 140, (32, 32, 3), dtype=np.uint8)
    picture[..., channel] += 60
    return Image.fromarray(picture)


def moved(folder):
    return {row["stage"]: row for row in json.loads((folder / "report" / "moved.json").read_text())}


def train_colors(desk, folder, *overrides):
    """Train the experiment of `desk` into a run folder; return the exit code."""
    return run(["train", str(desk / "colors.yaml"), "--run-dir", str(folder), "--device", "cpu", *overrides])


def best_weights(folder):
    return load_file(folder / "best" / "model.safetensors")


def read_report(folder, name):
    return json.loads((folder / "report" / f"{name}.json").read_text())


def learns(name):
    """Whether a tensor is a parameter, not a statistic of BatchNorm."""
    return "running" not in name and "num_batches" not in name
