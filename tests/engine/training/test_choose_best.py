import math
import random

import pytest

from ftaug.components import schedules
from ftaug.engine.training.choose_best import best_index, without_improvement
from ftaug.interfaces.model import TrainingLength

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("scores", "losses", "best"),
    [
        ([0.5, 0.7, 0.6], [1.0, 2.0, 0.5], 1),
        ([0.5, 0.7, 0.7], [1.0, 2.0, 1.5], 2),
        ([0.7, 0.7, 0.7], [1.0, 1.0, 1.0], 0),
        ([NAN, 0.1, 0.2], [1.0, 1.0, 2.0], 2),
        ([0.2, NAN, 0.2], [1.0, 0.1, 1.0], 0),
        ([0.2, 0.2], [NAN, 9.0], 1),
        ([0.2, 0.2], [NAN, NAN], 0),
        ([-INF, -4.0], [INF, 4.0], 1),
        ([INF, 0.3], [1.0, 1.0], 1),
        ([NAN, NAN, -INF], [1.0, 0.5, 0.1], None),
        ([], [], None),
    ],
)
def test_the_best_evaluation(scores, losses, best):
    assert best_index(scores, losses) == best


def test_finite_values_are_ordered_as_sorting_orders_them():
    rng = random.Random(0)
    for _ in range(300):
        pairs = [(rng.randint(0, 3) / 3, rng.randint(0, 3)) for _ in range(rng.randint(1, 8))]
        wanted = sorted(range(len(pairs)), key=lambda i: (-pairs[i][0], pairs[i][1], i))[0]
        assert best_index(*zip(*pairs, strict=True)) == wanted


@pytest.mark.parametrize(
    ("scores", "min_delta", "count"),
    [
        ([0.5, 0.6, 0.6, 0.6], 0.0, 2),
        ([0.5, 0.6, 0.7], 0.0, 0),
        ([0.5, NAN, NAN], 0.0, 2),
        ([NAN, NAN, 0.1], 0.0, 0),
        ([NAN, NAN], 0.0, 2),
        ([0.5, 0.54, 0.58, 0.62], 0.1, 0),  # small gains add up: 0.62 is 0.12 above the last that counted
        ([0.5, 0.54, 0.58], 0.1, 2),
    ],
)
def test_evaluations_without_improvement(scores, min_delta, count):
    assert without_improvement(scores, min_delta) == count


@pytest.mark.parametrize("min_delta", [0.0, 0.02, 0.1])
def test_early_stopping_and_plateau_mean_the_same_by_an_improvement(min_delta):
    """The rate is lowered at the evaluation after the one that would stop, whatever the scores are."""
    rng = random.Random(1)
    for _ in range(200):
        scores = tuple(rng.choice([NAN, INF, -INF, *(rng.gauss(0.5, 0.1) for _ in range(6))]) for _ in range(12))
        patience = rng.randint(1, 4)
        stop = next((n for n in range(1, 13) if without_improvement(scores[:n], min_delta) >= patience + 1), None)
        factors = [
            schedules.plateau(0, TrainingLength(100, 10, scores[:n]), patience=patience, threshold=min_delta)
            for n in range(1, 13)
        ]
        assert next((n for n, factor in enumerate(factors, 1) if factor < 1), None) == stop
