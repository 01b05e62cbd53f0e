"""Image implementation of `ftaug explain`."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ftaug.attribution.page import page
from ftaug.image.explanation.imputation import impute
from ftaug.image.explanation.original import at_input, input_box
from ftaug.image.explanation.sheet import draw, pictures
from ftaug.image.io.decode import opened
from ftaug.image.io.encode import encode
from ftaug.interfaces.explanation import Attribution, Explanation

if TYPE_CHECKING:
    from torch import Tensor

suffixes = (".png", ".html", ".json")
default_output = Path("explanation.png")
ON_PAGE = 320
"""Longer side of images on an HTML page, in pixels."""


def remove(
    sample: Tensor, attribution: Attribution, share: float, most: bool, preprocessing: Mapping[str, Any]
) -> Tensor:
    """Return a sample (1, 3, H, W) with a share of its pixels imputed: those of the highest or of the lowest values."""
    import torch

    pixels = sample[0].permute(1, 2, 0).cpu().numpy()
    height, width = pixels.shape[:2]
    order = at_input(attribution, height, width).ravel().argsort(kind="stable")
    count = round(share * order.size)
    removed = np.zeros(order.size, bool)
    removed[order[len(order) - count :] if most else order[:count]] = True
    imputed = impute(pixels, removed.reshape(height, width), np.random.default_rng(0))
    return torch.from_numpy(imputed).permute(2, 0, 1)[None].to(sample.device)


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
    if suffix == ".html":
        return page(title, ((each, _body(each, preprocessing)) for each in explanations)).encode()
    encoded = io.BytesIO()
    draw(explanations, title, preprocessing).save(encoded, "PNG")
    return encoded.getvalue()


def _body(explanation: Explanation, preprocessing: Mapping[str, Any]) -> str:
    """Return the image, and the image under its map, as HTML."""
    encoded = [base64.b64encode(encode(pixels)).decode() for pixels in pictures(explanation, preprocessing, ON_PAGE)]
    images = (
        f'<img src="data:image/png;base64,{content}" alt="{kind}">'
        for content, kind in zip(encoded, ("image", "map"), strict=True)
    )
    return f'<div class="pictures">{"".join(images)}</div>'


def screen(explanations: Sequence[Explanation], preprocessing: Mapping[str, Any]) -> None:
    """Return None: maps can only be seen in a file."""
