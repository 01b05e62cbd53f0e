"""Parity of an export: how far its outputs may differ from the model's, and how far they do."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from ftaug.runs.export.metric_loss import MetricLoss

TOLERANCE = 1e-3
"""Maximum difference of a metric, and maximum share of samples with a different prediction."""
PROBABILITY_TOLERANCE = 5e-3
"""Maximum difference of a probability: small images react to a gray level in a few pixels."""
LOGIT_TOLERANCE = 1e-2
"""As a share of the largest logit, or of 1; in regression, of the deviation of the training targets."""
SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Allowance:
    """Tolerance of an export's outputs."""

    rounding: float = TOLERANCE  # the largest difference of a probability
    metric_loss: float | None = None  # for lossy exports: how much worse the metric may be


@dataclass(frozen=True)
class MetricParity:
    """A metric of the model and of the export."""

    name: str
    original: float
    exported: float
    views: str | None = None  # test-time views of `evaluate`, which exports do not apply
    with_views: float | None = None
    loss: MetricLoss | None = None  # for lossy exports

    @property
    def holds(self) -> bool:
        """Whether the metric loss is within the tolerance."""
        return self.loss is None or self.loss.holds


@dataclass(frozen=True)
class Parity:
    """Comparison of an export's predictions with the model's on a set of samples."""

    split: str  # or `synthetic`
    samples: int
    largest_difference: float  # of two logits; of two numbers, in deviations of the training targets
    largest_probability_difference: float | None  # None in regression
    allowed_difference: float
    equal_predictions: float  # share of the samples
    metric: MetricParity | None = None
    allowance: Allowance = Allowance()

    @property
    def holds(self) -> bool:
        """Whether the export agrees with the model."""
        if self.allowance.metric_loss is not None:
            return math.isfinite(self.largest_difference) and (self.metric is None or self.metric.holds)
        rounding = self.allowance.rounding
        close = self.largest_difference <= self.allowed_difference  # False for a NaN
        if self.largest_probability_difference is not None:
            close = close and self.largest_probability_difference <= max(PROBABILITY_TOLERANCE, rounding)
        if self.metric is None:
            return close
        same = abs(self.metric.original - self.metric.exported) <= rounding * max(1.0, abs(self.metric.original))
        return close and same and self.equal_predictions >= 1 - rounding


@dataclass
class Comparison:
    """All comparisons of an export: on synthetic samples and on the run's data."""

    parities: list[Parity] = field(default_factory=list)
    without_data: str | None = None  # why only synthetic samples were compared

    @property
    def holds(self) -> bool:
        """Whether the export agrees with the model."""
        return all(parity.holds for parity in self.parities)

    def record(self) -> dict[str, Any]:
        """Return the content of parity.json: the comparison on the run's data, if read, and on synthetic samples."""
        synthetic, measured = self.parities[0], self.parities[-1]
        return {
            **asdict(measured),
            "parity": self.holds,
            SYNTHETIC: asdict(synthetic),
            "synthetic_only": self.without_data is not None,  # the reason would name a path of this machine
        }
