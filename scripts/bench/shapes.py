"""Photo-like JPEGs of six shapes, made from a seed."""

from pathlib import Path

import cv2
import numpy as np

SHAPES = ("disc", "ring", "square", "frame", "cross", "bar")


def draw(shape: str, rng: np.random.Generator) -> np.ndarray:
    """A shape somewhere on a busy ground, uint8 (H, W, 3)."""
    height, width = (int(side) for side in rng.integers(56, 120, 2))
    ground = cv2.resize(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    size = 0.5 * min(height, width) * rng.uniform(0.35, 0.7)
    x, y = rng.uniform(size, width - size), rng.uniform(size, height - size)
    points = {
        "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        "frame": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
        "cross": [(-1, -0.3), (-0.3, -0.3), (-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3)],
        "bar": [(-1, -0.35), (1, -0.35), (1, 0.35), (-1, 0.35)],
    }
    color = tuple(rng.integers(0, 256, 3).tolist())
    thickness = -1 if shape not in ("ring", "frame") else max(2, round(size / 3))
    if shape in ("disc", "ring"):
        cv2.circle(ground, (round(x), round(y)), round(size), color, thickness)
    else:
        corners = np.array(points[shape])
        corners = np.concatenate([corners, -corners]) if shape == "cross" else corners
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        outline = np.rint(size * corners @ turn.T + [x, y]).astype(np.int32)
        if thickness < 0:
            cv2.fillPoly(ground, [outline], color)
        else:
            cv2.polylines(ground, [outline], True, color, thickness)
    noise = rng.normal(0, 20, ground.shape)
    return np.asarray((ground + noise).clip(0, 255).astype(np.uint8))


def make_photos(folder: Path, train: int, test: int, size: tuple[int, int] | None = None) -> None:
    """Class folders of JPEGs, made from one seed; of a size (width, height), where it is given."""
    rng = np.random.default_rng(0)
    for split, count in (("train", train), ("test", test)):
        for shape in SHAPES:
            place = folder / split / shape
            place.mkdir(parents=True)
            for number in range(count):
                picture = draw(shape, rng)
                larger = picture if size is None else cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
                cv2.imwrite(str(place / f"{number}.jpg"), larger)
