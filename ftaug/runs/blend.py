"""Interpolate between the initial and the trained weights of a run (as in WiSE-FT)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ftaug.runs import weight_mixing
from ftaug.runs.initial_weights import weights_of
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.trained_model import TrainedModel


def evaluate_blends(
    opened: TrainedModel, start: weight_mixing.Weights, alphas: Sequence[float]
) -> tuple[list[dict[str, Any]], tuple[weight_mixing.Candidate, dict[str, Any]]]:
    """Evaluate a blend per alpha; return all rows and the best: ties by the lower loss, then the smaller alpha."""
    end = weights_of(opened)
    norms = weight_mixing.differing_norms(opened, start, end)
    rows: list[dict[str, Any]] = []
    best: tuple[weight_mixing.Candidate, dict[str, Any]] | None = None
    with ProgressBar(len(alphas), 0, unit="blend") as progress_bar:
        for alpha in alphas:
            for candidate in _at(opened, start, end, alpha, norms):
                row = {"alpha": alpha, "norms": candidate.norms, "metrics": dict(candidate.values)}
                rows.append(row)
                if best is None or candidate.rank > best[0].rank:
                    best = candidate, {"alpha": alpha, "norms": candidate.norms}
            progress_bar.advance()
            progress_bar.status(f"alpha {alpha:g}")
    assert best is not None
    return rows, best


def _at(
    opened: TrainedModel, start: weight_mixing.Weights, end: weight_mixing.Weights, alpha: float, norms: Sequence[str]
) -> Iterator[weight_mixing.Candidate]:
    """Evaluate the blend at an alpha; strictly between 0 and 1 also with recomputed BatchNorm statistics."""
    weights = weight_mixing.between(start, end, alpha)
    yield from weight_mixing.evaluate_weights(opened, weights, norms if 0 < alpha < 1 else ())
