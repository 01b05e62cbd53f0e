"""Explanation of any network by hiding parts of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ftaug.image import explainer
from ftaug.image.explainers.cells import Cells, cell_bounds
from ftaug.interfaces.explanation import Attribution, ExplainedOutput

if TYPE_CHECKING:
    from torch import Tensor


@explainer.register
def occlusion(output: ExplainedOutput, sample: Tensor, *, cells: Cells = 8) -> Attribution:
    """Occlusion: how far the output drops when a cell of the image has the image's mean color.

    Settings:
        cells: number of cells along the shorter side; the network runs once for each cell

    Zeiler & Fergus 2013 (arXiv:1311.2901). It fits every network.
    """
    rows, columns = cell_bounds(sample.shape[2], sample.shape[3], cells)
    mean = sample.float().mean(dim=(2, 3), keepdim=True).round().to(sample.dtype)
    shape = (len(rows) - 1, len(columns) - 1)
    pictures = sample.repeat(1 + shape[0] * shape[1], 1, 1, 1)  # the first stays whole
    for number, (row, column) in enumerate(np.ndindex(shape), 1):
        pictures[number, :, rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = mean[0]
    scores = output.scores(pictures)
    return Attribution((scores[0] - scores[1:]).reshape(shape))
