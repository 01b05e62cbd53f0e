"""Explanation of any network by hiding parts of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from ftaug.config.types import Wording
from ftaug.image import explainer
from ftaug.interfaces.explanation import Attribution, ExplainedOutput

if TYPE_CHECKING:
    from torch import Tensor

Cells = Annotated[int, Field(ge=2, le=64), Wording("a whole number from 2 to 64")]


@explainer.register
def occlusion(output: ExplainedOutput, sample: Tensor, *, cells: Cells = 8) -> Attribution:
    """Occlusion: how far the output drops when a cell of the image has the image's mean color.

    Settings:
        cells: number of cells along the shorter side; the network runs once for each cell

    Zeiler & Fergus 2013 (arXiv:1311.2901). It fits every network.
    """
    height, width = sample.shape[-2:]
    side = min(height, width) / cells
    rows = _bounds(height, round(height / side))
    columns = _bounds(width, round(width / side))
    mean = sample.float().mean(dim=(2, 3), keepdim=True).round().to(sample.dtype)
    hidden = sample.repeat((len(rows) - 1) * (len(columns) - 1) + 1, 1, 1, 1)
    boxes = [
        (slice(*rows[i : i + 2]), slice(*columns[j : j + 2]))
        for i in range(len(rows) - 1)
        for j in range(len(columns) - 1)
    ]
    for picture, (down, across) in zip(hidden[1:], boxes, strict=True):
        picture[:, down, across] = mean[0]
    scores = output.scores(hidden)
    return Attribution((scores[0] - scores[1:]).reshape(len(rows) - 1, len(columns) - 1))


def _bounds(size: int, cells: int) -> list[int]:
    """Return where cells begin and end along a side."""
    return [int(bound) for bound in np.linspace(0, size, min(cells, size) + 1).round()]
