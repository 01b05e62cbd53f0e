"""Integrated gradients of sounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftaug.attribution.cells import add_up
from ftaug.attribution.integrated_gradients import Steps, integrate
from ftaug.audio import explainer
from ftaug.audio.explainers.plane import Cells, plane_of
from ftaug.interfaces.explanation import Attribution, CannotExplain, ExplainedOutput

if TYPE_CHECKING:
    from torch import Tensor


@explainer.register(refined_by="steps")
def integrated_gradients(
    output: ExplainedOutput, sample: Tensor, *, steps: Steps = 16, cells: Cells = 16
) -> Attribution:
    """Integrated gradients: the gradients of the spectrogram, integrated from a masked one; of waveforms from silence.

    Sundararajan et al. 2017 (arXiv:1703.01365). Values are added up within cells. Not for networks that normalize the
    level of a waveform, such as wav2vec2-base: on the way from silence their output changes at once, then hardly.
    """
    import torch

    from ftaug.audio.unpadded import UnpaddedNorm

    if any(isinstance(module, UnpaddedNorm) for module in output.model.modules()):
        raise CannotExplain("needs a network whose output depends on the level of a sound")
    plane = plane_of(sample)
    values = plane.values.float()

    def gradients(shares: Tensor) -> Tensor:
        with torch.enable_grad():
            points = (shares.view(-1, 1, 1, 1) * values).requires_grad_()
            return torch.autograd.grad(output.score(plane.as_input(points)).sum(), points)[0]

    ends = output.scores(plane.as_input(torch.cat([torch.zeros_like(values), values])))
    path = integrate(gradients, values[0], ends[1] - ends[0], steps, output.batch_size)
    figures = {"completeness_error": path.completeness_error, "steps": steps}
    return Attribution(add_up(path.values.sum(dim=0).cpu().numpy(), *plane.bounds(cells)), figures)
