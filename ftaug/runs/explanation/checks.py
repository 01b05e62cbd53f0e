"""Test explainers on a trained model: do their maps depend on its weights, and do they find what it depends on?

Weight randomization: Adebayo et al. 2018 (arXiv:1810.03292). ROAD, remove and debias: Rong et al. 2022
(arXiv:2202.00449).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ftaug.config.registry import Component
from ftaug.engine.loading.prepare import modality_of
from ftaug.interfaces.explanation import Attribution, CannotExplain
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
    sparseness: float | None = None  # Gini coefficient of the positive values, 0 (even) to 1 (in one place)
    refused: str = ""  # why the method must not be used; empty if it may


def check_weights(method: Component, model: ExplainedModel, samples: Sequence[TestSample]) -> Check:
    """Compare the maps of a method with those of re-drawn weights."""
    samples = samples[:REDRAWN_SAMPLES]
    try:
        maps = [explain(method, model, sample).values for sample in samples]
        if all(np.ptp(values) == 0 for values in maps):
            return Check(method.name, refused="gives a constant map for every sample")
        correlations: list[float] = []
        for seed in range(REDRAWS):
            redrawn = model.with_redrawn_weights(seed)
            others = [explain(method, redrawn, sample).values for sample in samples]
            correlations += map(spearman, maps, others)
    except CannotExplain as error:
        return Check(method.name, refused=str(error))
    correlation = float(np.mean(correlations))
    if correlation < SURVIVES:
        return Check(method.name, correlation)
    reason = f"its maps survive re-drawn weights: their rank correlation is {correlation:.2f} (limit {SURVIVES})"
    return Check(method.name, correlation, refused=reason)


def with_road(
    check: Check, method: Component, model: ExplainedModel, samples: Sequence[TestSample], opened: TrainedModel
) -> Check:
    """Add to a check how faithful the maps are (ROAD), and how sparse, on average over the samples."""
    maps = [explain(method, model, sample) for sample in samples]
    roads = [road(attribution, model, sample, opened) for attribution, sample in zip(maps, samples, strict=True)]
    sparseness = float(np.mean([gini(np.maximum(attribution.values, 0)) for attribution in maps]))
    return replace(check, road=float(np.mean(roads)), sparseness=sparseness)


def gini(values: np.ndarray) -> float:
    """Compute the Gini coefficient of values that are not negative; 0 if all are 0."""
    ordered = np.sort(values, axis=None)
    if not ordered.any():
        return 0.0
    ranks = np.arange(1, ordered.size + 1)
    return float(((2 * ranks - ordered.size - 1) * ordered).sum() / (ordered.size * ordered.sum()))


def road(attribution: Attribution, model: ExplainedModel, sample: TestSample, opened: TrainedModel) -> float:
    """Compute how much more a prediction changes without the most important parts than without the least important.

    Averaged over the removed shares: half of the difference in probability, or in the value of a regression.
    """
    verbs = modality_of(opened.experiment)
    removed = [
        verbs.explanation.remove(sample.inputs, attribution, share, most, opened.preprocessing)
        for most in (True, False)
        for share in SHARES
    ]
    outputs = model.predict(verbs.concatenated(removed))[:, sample.output]
    without_most, without_least = outputs.reshape(2, -1).mean(axis=1)
    return float(without_least - without_most) / 2


def explain(method: Component, model: ExplainedModel, sample: TestSample) -> Attribution:
    """Return the attribution of a method for a sample; raises CannotExplain."""
    attribution: Attribution = method(model.output(sample.output), sample.inputs)
    if not np.isfinite(attribution.values).all():
        raise CannotExplain("gives values that are not finite numbers")
    return attribution
