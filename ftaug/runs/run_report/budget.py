"""How many samples a section of a report may pass through the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftaug.runs.explanation.explained_model import ExplainedModel

if TYPE_CHECKING:
    from ftaug.runs.trained_model import TrainedModel

BUDGET = {"cpu": 4e12, "cuda": 4e14}
"""Floating-point operations: on a CPU core about a minute. A count, not a time, so that results repeat."""


def forward_passes(opened: TrainedModel, raw: object) -> int:
    """Return how many samples like `raw` may pass through the network; raises BadData."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    batch = opened.prepare([raw]).to(opened.device.torch)
    model = ExplainedModel.of(opened).model
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(batch)
    return int(BUDGET.get(opened.device.torch.type, BUDGET["cpu"]) / max(counter.get_total_flops(), 1))
