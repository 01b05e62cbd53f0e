"""Explanation of any network by hiding parts of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftaug.attribution.cells import Cells, cell_bounds
from ftaug.attribution.occlusion import occlude
from ftaug.image import explainer
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
    mean = sample.float().mean(dim=(2, 3), keepdim=True).round().to(sample.dtype)
    bounds = cell_bounds(sample.shape[2], sample.shape[3], cells)
    return Attribution(occlude(output.scores, sample, mean[0], *bounds))
