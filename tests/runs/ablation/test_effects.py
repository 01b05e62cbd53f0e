"""Effects: the sign says whether a part helps, a planted one is shown and none that is not there."""

import numpy as np
import pytest

from ftaug.runs.ablation.effects import effects, power_note


def test_helps_and_hurts_depend_on_the_metric():
    rng = np.random.default_rng(0)
    differences = rng.normal([0.5, -0.4, 0.0], 0.05, size=(8, 3))
    assert [each.verdict for each in effects(differences, higher_is_better=True)] == ["helps", "hurts", None]
    lower = effects(differences, higher_is_better=False)
    assert [each.verdict for each in lower] == ["hurts", "helps", None]
    assert lower[0].benefit == pytest.approx(-differences[:, 0].mean())
    assert lower[0].low < differences[:, 0].mean() < lower[0].high


def simulated(rng, parts, seeds=6):
    """The metric of the experiment and of its variants: their common noise is that of the seed, as draws are shared."""
    runs = 0.9 + rng.normal(0, 0.02, (seeds, 1)) + rng.normal(0, 0.005, (seeds, 1 + len(parts)))
    return runs[:, 1:] + np.array(parts) - runs[:, :1]


def test_identity_is_shown_to_do_something_in_at_most_5_percent():
    rng = np.random.default_rng(1)
    verdicts = [effects(simulated(rng, [0.0] * 6), higher_is_better=True) for _ in range(200)]
    assert sum(any(each.verdict for each in trial) for trial in verdicts) <= 15  # above 16 of 200: below 0.1 %
    identical = effects(np.zeros((6, 2)), higher_is_better=True)  # the same bits
    assert [(each.verdict, each.adjusted_p) for each in identical] == [(None, 1.0)] * 2


def test_a_planted_helpful_and_a_planted_harmful_part_are_shown():
    rng = np.random.default_rng(2)
    trials = [effects(simulated(rng, [0.03, -0.03, 0, 0, 0]), higher_is_better=True) for _ in range(50)]
    assert sum(trial[0].verdict == "helps" for trial in trials) >= 45
    assert sum(trial[1].verdict == "hurts" for trial in trials) >= 45


def test_too_few_seeds_are_noted():
    assert power_note(6) == ""
    assert power_note(5) == "5 seeds cannot reach 5 %: the smallest possible p is 0.0625; 6 can"
    assert all(np.isnan(each.low) for each in effects(np.ones((5, 1)), higher_is_better=True))
