"""Image implementation of `ftaug explain`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ftaug.attribution import sheet
from ftaug.attribution.imputation import impute
from ftaug.attribution.maps import extreme
from ftaug.attribution.overlay import overlay
from ftaug.documents.thumbnail import fitted
from ftaug.image.explanation.original import input_box, on_original
from ftaug.image.io.decode import opened
from ftaug.interfaces.explanation import Attribution, Explanation

if TYPE_CHECKING:
    from torch import Tensor

suffixes = (".png", ".html", ".json")
default_output = Path("explanation.png")
on_normalized = False
NOISE = 2.55
"""Standard deviation of the noise in what is removed, a hundredth of the range of pixels."""


def remove(
    sample: Tensor, attribution: Attribution, share: float, most: bool, preprocessing: Mapping[str, Any]
) -> Tensor:
    """Return a sample (1, 3, H, W) with a share of its pixels imputed: those of the highest or of the lowest values."""
    import torch

    pixels = sample[0].permute(1, 2, 0).cpu().numpy()
    removed = extreme(attribution, pixels.shape[0], pixels.shape[1], share, most)
    imputed = impute(pixels, removed, NOISE, np.random.default_rng(0))
    return torch.from_numpy(imputed.round().clip(0, 255).astype(np.uint8)).permute(2, 0, 1)[None].to(sample.device)


def locate(raw: Any, attribution: Attribution, preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the map, and the box of the original image that it covers: top, left, bottom, right in pixels."""
    picture = opened(raw)
    size = (picture.height, picture.width)
    return {
        "image_size": list(size),
        "box": input_box(size, preprocessing),
        "map": [[float(f"{value:.5g}") for value in row] for row in attribution.values.tolist()],
    }


def render(explanations: Sequence[Explanation], title: str, preprocessing: Mapping[str, Any], suffix: str) -> bytes:
    """Return the content of a PNG sheet, or of an HTML page."""
    return sheet.render(explanations, lambda each, side: pictures(each, preprocessing, side), title, suffix)


def pictures(explanation: Explanation, preprocessing: Mapping[str, Any], side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the upright image and the image under its map, uint8 (H, W, 3), with this longer side."""
    picture = opened(explanation.raw)
    pixels = picture.turn.apply(picture.load(1))
    shown = fitted(pixels, side)
    height, width = shown.shape[:2]
    values = on_original(explanation.attribution, (picture.height, picture.width), (height, width), preprocessing)
    return shown, overlay(shown, values)


def screen(explanations: Sequence[Explanation], preprocessing: Mapping[str, Any]) -> None:
    """Return None: maps can only be seen in a file."""
