"""Test explainers on a trained model: do their maps depend on its weights, and do they find what it depends on?

Weight randomization: Adebayo et al. 2018 (arXiv:1810.03292). ROAD, remove and debias: Rong et al. 2022
(arXiv:2202.00449).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ftaug.config.registry import Component
from ftaug.engine.loading.prepare import modality_of
from ftaug.interfaces.explanation import CannotExplain
from ftaug.statistics.correlation import spearman

if TYPE_CHECKING:
    from torch import Tensor

    from ftaug.runs.explanation.explained_model import ExplainedModel
    from ftaug.runs.trained_model import TrainedModel

SHARES = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
"""Shares of a sample that ROAD removes."""

REDRAWN_SAMPLES, REDRAWS = 8, 2
SURVIVES = 0.5
"""Mean rank correlation with the maps of re-drawn weights from which a method is refused."""


@dataclass(frozen=True)
class TestSample:
    """A sample on which explainers are tested, and the output that is explained."""

    inputs: Tensor  # a batch of one
    output: int


@dataclass(frozen=True)
class Check:
    """Result of the tests of a method on a model."""

    method: str
    correlation: float | None = None  # with maps of re-drawn weights
    road: float | None = None  # mean change of the prediction, -1 to 1; higher is better
    refused: str = ""  # why the method must not be used; empty if it may


def check_weights(method: Component, model: ExplainedModel, samples: Sequence[TestSample]) -> Check:
    """Compare the maps of a method with those of re-drawn weights."""
    samples = samples[:REDRAWN_SAMPLES]
    try:
        maps = [explain(method, model, sample) for sample in samples]
        if all(np.ptp(values) == 0 for values in maps):
            return Check(method.name, refused="gives a constant map for every sample")
        correlations: list[float] = []
        for seed in range(REDRAWS):
            redrawn = model.with_redrawn_weights(seed)
            others = [explain(method, redrawn, sample) for sample in samples]
            correlations += map(spearman, maps, others)
    except CannotExplain as error:
        return Check(method.name, refused=str(error))
    correlation = float(np.mean(correlations))
    if correlation < SURVIVES:
        return Check(method.name, correlation)
    reason = f"its maps survive re-drawn weights: their rank correlation is {correlation:.2f} (limit {SURVIVES})"
    return Check(method.name, correlation, refused=reason)


def road(method: Component, model: ExplainedModel, samples: Sequence[TestSample], opened: TrainedModel) -> float:
    """Compute how much more a prediction changes without the most important parts than without the least important.

    Averaged over samples and removed shares: half of the difference in probability, or in the value of a regression.
    """
    return float(np.mean([_road_of(explain(method, model, sample), model, sample, opened) for sample in samples]))


def _road_of(values: np.ndarray, model: ExplainedModel, sample: TestSample, opened: TrainedModel) -> float:
    verbs = modality_of(opened.experiment)
    removed = [
        verbs.explanation.remove(sample.inputs, values, share, most, opened.preprocessing)
        for most in (True, False)
        for share in SHARES
    ]
    outputs = model.predict(verbs.concatenated(removed))[:, sample.output]
    without_most, without_least = outputs.reshape(2, -1).mean(axis=1)
    return float(without_least - without_most) / 2


def explain(method: Component, model: ExplainedModel, sample: TestSample) -> np.ndarray:
    """Return the values of a method for a sample; raises CannotExplain."""
    values: np.ndarray = method(model.output(sample.output), sample.inputs).values
    if not np.isfinite(values).all():
        raise CannotExplain("gives values that are not finite numbers")
    return values
