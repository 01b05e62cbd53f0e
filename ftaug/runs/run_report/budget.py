"""How many samples a section of a report may pass through the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftaug.runs.explanation.explained_model import ExplainedModel

if TYPE_CHECKING:
    from ftaug.runs.trained_model import TrainedModel

BUDGET = {"cpu": 3e12, "cuda": 3e14}
"""Floating-point operations of a section: on a CPU core 1 to 2 minutes. A count, not a time, so that results repeat."""


def forward_passes(opened: TrainedModel, raw: object) -> int:
    """Return how many samples like `raw` may pass through the network; raises BadData."""
    from torch.utils.flop_counter import FlopCounterMode

    batch = opened.prepare([raw]).to(opened.device.torch)
    model = ExplainedModel.of(opened).model.requires_grad_(False)
    with FlopCounterMode(display=False) as counter:
        model(batch)
    return int(BUDGET.get(opened.device.torch.type, BUDGET["cpu"]) / max(counter.get_total_flops(), 1))
