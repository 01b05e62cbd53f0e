"""Integrated gradients along a straight path (Sundararajan et al. 2017, arXiv:1703.01365)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, NamedTuple

from ftaug.config.types import Count, Doc

if TYPE_CHECKING:
    from torch import Tensor


Steps = Annotated[Count, Doc("points on the path; doubled until the completeness error is below 5 %, at most to 1,024")]


class PathIntegral(NamedTuple):
    """Integrated gradients, and how well they add up."""

    values: Tensor  # float64, the shape of the difference
    completeness_error: float  # |sum of the values - change of the output|, as a share of the change


def integrate(
    gradients: Callable[[Tensor], Tensor], difference: Tensor, change: float, steps: int, chunk: int
) -> PathIntegral:
    """Integrate the gradients of an output from a baseline to a sample by the midpoint rule.

    `gradients` returns the gradients at shares (n,) of the path: (n, *difference.shape).
    """
    shares = (difference.new_tensor(range(steps)) + 0.5) / steps
    mean = difference.new_zeros(()).double()
    for start in range(0, steps, chunk):
        mean = mean + gradients(shares[start : start + chunk]).double().sum(dim=0) / steps
    values = difference.double() * mean
    return PathIntegral(values, abs(float(values.sum()) - change) / max(abs(change), 1e-12))
