"""Integrated gradients of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftaug.attribution.cells import Cells, add_up, cell_bounds
from ftaug.attribution.integrated_gradients import Steps, integrate
from ftaug.image import explainer
from ftaug.interfaces.explanation import Attribution, ExplainedOutput

if TYPE_CHECKING:
    from torch import Tensor


@explainer.register(refined_by="steps")
def integrated_gradients(
    output: ExplainedOutput, sample: Tensor, *, steps: Steps = 16, cells: Cells = 16
) -> Attribution:
    """Integrated gradients: the gradients of the pixels, integrated from the image's mean color to the image.

    Settings:
        cells: number of cells along the shorter side in which values are added up, against the noise of single pixels

    Sundararajan et al. 2017 (arXiv:1703.01365).
    """
    import torch

    image = sample.float()
    baseline = image.mean(dim=(2, 3), keepdim=True)

    def gradients(shares: Tensor) -> Tensor:
        with torch.enable_grad():
            points = (baseline + shares.view(-1, 1, 1, 1) * (image - baseline)).requires_grad_()
            return torch.autograd.grad(output.score(points).sum(), points)[0]

    ends = output.scores(torch.cat([baseline.expand_as(image), image]))
    path = integrate(gradients, (image - baseline)[0], ends[1] - ends[0], steps, output.batch_size)
    figures = {"completeness_error": path.completeness_error, "steps": steps}
    by_pixel = path.values.sum(dim=0).cpu().numpy()
    return Attribution(add_up(by_pixel, *cell_bounds(by_pixel.shape[0], by_pixel.shape[1], cells)), figures)
