"""Explanation of any network by hiding parts of the sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftaug.attribution.occlusion import occlude
from ftaug.audio import explainer
from ftaug.audio.explainers.plane import Cells, plane_of
from ftaug.interfaces.explanation import Attribution, ExplainedOutput

if TYPE_CHECKING:
    from torch import Tensor


@explainer.register
def occlusion(output: ExplainedOutput, sample: Tensor, *, cells: Cells = 8) -> Attribution:
    """Occlusion: how far the output drops when a part of the spectrogram is masked, or of a waveform silent.

    Zeiler & Fergus 2013 (arXiv:1311.2901). It fits every network, which runs once for each cell. Waveforms are cut in
    time only.
    """
    plane = plane_of(sample)
    hidden = plane.values.new_zeros(1, 1, 1)
    return Attribution(
        occlude(lambda copies: output.scores(plane.as_input(copies)), plane.values, hidden, *plane.bounds(cells))
    )
