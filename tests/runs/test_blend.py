"""The sweep of `ftaug blend`: which blends are evaluated, and which of them is the best."""

from types import SimpleNamespace

import pytest
import torch

from ftaug.runs import blend, weight_mixing
from ftaug.runs.weight_mixing import ANEW, MIXED, Candidate

START = {"w": torch.tensor([0.0, 4.0])}
END = {"w": torch.tensor([8.0, 0.0])}


@pytest.fixture
def sweep(monkeypatch):
    """Run a sweep in which a score by the first weight stands for validation; return rows, best and what was loaded."""

    def sweep(alphas, score, norms=(), loss=lambda weight: 0.5):
        def evaluate(opened, weights, norms=()):
            weight = weights["w"][0].item()
            values = {"loss": loss(weight)}
            plain = Candidate(weights, MIXED if norms else None, values, score(weight))
            return [plain, Candidate(weights, ANEW, values, score(weight) + 0.25)] if norms else [plain]

        monkeypatch.setattr(weight_mixing, "evaluate_weights", evaluate)
        monkeypatch.setattr(weight_mixing, "differing_norms", lambda opened, start, end: list(norms))
        monkeypatch.setattr(blend, "weights_of", lambda opened: END)
        return blend.evaluate_blends(SimpleNamespace(), START, alphas)

    return sweep


def test_the_best_of_all_blends_is_chosen(sweep):
    rows, (best, row) = sweep([0.0, 0.25, 0.5, 1.0], lambda weight: -abs(weight - 2.0))
    assert [row["alpha"] for row in rows] == [0.0, 0.25, 0.5, 1.0]
    assert row == {"alpha": 0.25, "norms": None}
    assert best.weights["w"].tolist() == [2.0, 3.0]


def test_a_tie_is_broken_by_the_lower_loss_then_the_smaller_alpha(sweep):
    _, (_, row) = sweep([0.0, 0.5, 1.0], lambda weight: 1.0, loss=lambda weight: 8 - weight)
    assert row["alpha"] == 1.0
    _, (_, row) = sweep([0.25, 0.5, 1.0], lambda weight: 1.0)
    assert row["alpha"] == 0.25


def test_statistics_are_recomputed_strictly_between_the_ends(sweep):
    """At an end the statistics are those of its own weights."""
    rows, (_, row) = sweep([0.0, 0.5, 1.0], lambda weight: 1.0, norms=["bn"])
    assert [(row["alpha"], row["norms"]) for row in rows] == [(0.0, None), (0.5, MIXED), (0.5, ANEW), (1.0, None)]
    assert row == {"alpha": 0.5, "norms": ANEW}


def test_a_score_that_is_not_a_number_is_not_the_best(sweep):
    _, (_, row) = sweep([0.0, 0.5, 1.0], lambda weight: float("nan") if weight < 8 else -3.0)
    assert row["alpha"] == 1.0
