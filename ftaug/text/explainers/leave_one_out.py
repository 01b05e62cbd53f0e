"""Explanation of any text classifier by leaving out tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftaug.interfaces.explanation import Attribution, ExplainedOutput
from ftaug.text import explainer

if TYPE_CHECKING:
    from torch import Tensor


@explainer.register
def leave_one_out(output: ExplainedOutput, sample: Tensor) -> Attribution:
    """Leave one token out: how far the output drops without a token; the network runs once for each."""
    import torch

    length = sample.shape[2]
    if length < 2:
        return Attribution(output.scores(sample))
    positions = torch.arange(length, device=sample.device)
    remaining = torch.stack([positions[positions != token] for token in range(length)])
    without = sample[0][:, remaining].transpose(0, 1)  # (length, planes, length - 1)
    return Attribution(output.scores(sample)[0] - output.scores(without))
