import math

import pytest
import torch
from torch.optim import lr_scheduler

from ftaug.components import schedules
from ftaug.config.kinds import schedule as registry
from ftaug.config.types import Duration
from ftaug.interfaces.model import TrainingLength

TOTAL = 60
HORIZON = TrainingLength(total_steps=TOTAL, epoch_steps=10)


def steps(amount):
    return Duration(amount, "steps")


def ours(name, horizon=HORIZON, **settings):
    function = registry[name].function
    return [function(step, horizon, **settings) for step in range(horizon.total_steps)]


def torchs(make):
    """The factors that a torch scheduler gives an optimizer with a rate of 1, one step each."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)
    scheduler = make(optimizer)
    factors = [optimizer.param_groups[0]["lr"]]
    for _ in range(TOTAL - 1):
        optimizer.step()
        scheduler.step()
        factors.append(optimizer.param_groups[0]["lr"])
    return factors


ORACLES = {
    "constant": ({}, lambda o: lr_scheduler.LambdaLR(o, lambda step: 1.0)),
    "linear": ({"end": 0.1}, lambda o: lr_scheduler.LinearLR(o, 1.0, 0.1, TOTAL)),
    "cosine": ({"end": 0.05}, lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL, eta_min=0.05)),
    "polynomial": ({"power": 1.5}, lambda o: lr_scheduler.PolynomialLR(o, TOTAL, power=1.5)),
    "exponential": ({"factor": 0.9, "every": steps(1)}, lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    "step": ({"factor": 0.5, "every": Duration(1, "epochs")}, lambda o: lr_scheduler.StepLR(o, 10, 0.5)),
    "multistep": (
        {"at": (steps(7), Duration(50, "%")), "factor": 0.2},
        lambda o: lr_scheduler.MultiStepLR(o, [7, 30], 0.2),
    ),
    "one_cycle": (
        {"warmup": Duration(30, "%")},
        lambda o: lr_scheduler.OneCycleLR(o, 1.0, total_steps=TOTAL, pct_start=0.3),
    ),
}


@pytest.mark.parametrize("name", ORACLES)
def test_factors_are_torchs(name):
    settings, make = ORACLES[name]
    assert ours(name, **settings) == pytest.approx(torchs(make), abs=1e-12)


@pytest.mark.parametrize("name", ["linear", "cosine", "polynomial", "exponential", "constant", "plateau"])
def test_warmup_rises_to_the_peak_and_the_rest_is_the_shorter_run(name):
    factors = ours(name, warmup=Duration(10, "%"))
    assert factors[:6] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1.0])
    assert factors[6:] == pytest.approx(ours(name, TrainingLength(TOTAL - 6, 10)))


@pytest.mark.parametrize("name", ["step", "multistep"])
def test_warmup_does_not_move_the_points_of_the_run(name):
    assert ours(name, warmup=steps(5))[5:] == ours(name)[5:]


@pytest.mark.parametrize("warmup", [steps(6), Duration(10, "%"), Duration(0.6, "epochs")])
def test_a_warmup_may_be_given_in_any_unit(warmup):
    assert ours("cosine", warmup=warmup) == ours("cosine", warmup=steps(6))


@pytest.mark.parametrize("name", sorted(registry))
@pytest.mark.parametrize("total", [1, 2, 3, 1000])
def test_factors_are_sane_for_runs_of_any_length(name, total):
    factors = ours(name, TrainingLength(total, max(total // 3, 1)))
    assert all(math.isfinite(f) and 0.0 < f <= 1.0 + 1e-12 for f in factors)


@pytest.mark.parametrize("name", ["linear", "cosine", "polynomial", "exponential", "constant", "plateau", "one_cycle"])
def test_a_warmup_of_the_whole_run_only_rises(name):
    factors = ours(name, TrainingLength(10, 5), warmup=Duration(100, "%"))
    assert factors == sorted(factors)
    assert factors[-1] == 1.0


@pytest.mark.parametrize("name", ["linear", "cosine", "polynomial", "warmup_stable_decay"])
def test_the_end_is_where_the_run_ends(name):
    function = registry[name].function
    assert function(TOTAL, HORIZON, end=0.25) == pytest.approx(0.25)
    assert function(TOTAL - 1, HORIZON, end=0.25) > 0.25


def test_one_cycle_starts_peaks_and_ends_where_it_says():
    factors = ours("one_cycle", warmup=steps(20), start=0.1, end=0.01)
    assert factors[0] == pytest.approx(0.1)
    assert factors.index(max(factors)) == 19
    assert factors[-1] == pytest.approx(0.01)


@pytest.mark.parametrize(("shape", "middle"), [("linear", 0.5), ("cosine", 0.5), ("sqrt", 1 - math.sqrt(0.5))])
def test_warmup_stable_decay_is_flat_until_the_fall(shape, middle):
    factors = ours("warmup_stable_decay", warmup=steps(5), decay=steps(20), shape=shape)
    assert factors[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert factors[5:41] == [1.0] * 36
    assert factors[50] == pytest.approx(middle)


SCORES = (0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.61, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.9, 0.1, 0.1, 0.1, 0.1)


@pytest.mark.parametrize("patience", [0, 1, 3])
@pytest.mark.parametrize("cooldown", [0, 2])
@pytest.mark.parametrize("end", [0.0, 0.2])
def test_plateau_reduces_when_torchs_does(patience, cooldown, end):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = lr_scheduler.ReduceLROnPlateau(
        optimizer, "max", 0.5, patience, threshold=0.05, threshold_mode="abs", cooldown=cooldown, min_lr=end, eps=0.0
    )
    for seen, score in enumerate(SCORES, start=1):
        reference.step(score)
        horizon = TrainingLength(TOTAL, 10, SCORES[:seen])
        settings = {"factor": 0.5, "patience": patience, "threshold": 0.05, "cooldown": cooldown, "end": end}
        assert schedules.plateau(seen, horizon, **settings) == pytest.approx(optimizer.param_groups[0]["lr"])


def test_plateau_stays_at_the_peak_before_the_first_evaluation():
    assert ours("plateau") == [1.0] * TOTAL


def test_plateau_takes_scores_that_are_not_numbers_as_no_improvement():
    scores = (0.5, math.nan, math.nan, math.nan)
    assert schedules.plateau(5, TrainingLength(TOTAL, 10, scores), patience=2) == pytest.approx(0.1)
