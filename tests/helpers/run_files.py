"""What tests write and read of runs."""

import json

import numpy as np
from PIL import Image


def noise(channel, seed):
    """A noisy 32×32 picture in which one channel leads."""
    picture = np.random.default_rng(seed).integers(0, 140, (32, 32, 3), dtype=np.uint8)
    picture[..., channel] += 60
    return Image.fromarray(picture)


def moved(folder):
    return {row["stage"]: row for row in json.loads((folder / "report" / "moved.json").read_text())}
