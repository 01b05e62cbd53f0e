"""Proposals depend on seed, number and results alone, and use the results where they can."""

import sys

import numpy as np
import pytest

from ftaug.config.search_space import Space
from ftaug.errors import Place, Unavailable
from ftaug.runs.search.samplers import SAMPLERS, Result, by_grid, propose

PLACE = Place("f.yaml")
NUMBERS = (
    Space(("lr", "peak"), PLACE, None, 1e-4, 1.0, is_log=True),
    Space(("degrees",), PLACE, None, 0, 30),
    Space(("decay",), PLACE, None, 0.0, 1.0),
)
MIXED = (*NUMBERS, Space(("loss",), PLACE, ("focal", {"focal": {"gamma": 3}}, None)))
LISTS = (Space(("a",), PLACE, (1, 1.0, True)), Space(("b",), PLACE, None, 3, 5))
SPACES = {name: NUMBERS if name == "cma_es" else LISTS if name == "grid" else MIXED for name in SAMPLERS}
PACKAGES = {"tpe": "optuna", "gp": "optuna", "cma_es": "cmaes"}


def objective(values):
    score = -abs(np.log10(values["lr.peak"]) + 2) - abs(values["degrees"] - 20) / 10 - 2 * abs(values["decay"] - 0.3)
    return score - (values.get("loss") != "focal")


def run(name, seed, trials, spaces=None, score=objective):
    results = []
    for number in range(trials):
        values = propose(name, spaces or SPACES[name], seed, number, results)
        failed = number % 6 == 2
        results.append(Result(number, values, None if failed else score(values), failed))
    return results


def needs(name):
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name == "gp" else ()) for name in SAMPLERS if name != "grid"],
)
def test_two_searches_propose_the_same_and_other_seeds_something_else(name):
    needs(name)
    trials = 12
    first = [result.values for result in run(name, 5, trials)]
    assert [result.values for result in run(name, 5, trials)] == first
    assert [result.values for result in run(name, 6, trials)] != first
    assert len({str(values) for values in first}) == trials
    for values in first:
        assert 1e-4 <= values["lr.peak"] <= 1
        assert type(values["degrees"]) is int
        assert 0 <= values["degrees"] <= 30
        assert values.get("loss") in MIXED[-1].choices


@pytest.mark.parametrize("name", ["random", "sobol"])
def test_random_and_sobol_do_not_depend_on_results(name):
    spaces = SPACES[name]
    assert propose(name, spaces, 1, 7, []) == propose(name, spaces, 1, 7, run(name, 1, 7))


def test_sobol_covers_each_setting_evenly():
    """The first 2^k points of a scrambled sequence have one point in each of 2^k equal intervals (Owen 1998)."""
    decay = [propose("sobol", NUMBERS, 3, number, [])["decay"] for number in range(16)]
    assert sorted(int(value * 16) for value in decay) == list(range(16))


def test_a_grid_has_every_combination_once_and_then_ends():
    results = []
    while (values := by_grid(LISTS, 0, len(results), results)) is not None:
        results.append(Result(len(results), values))
    assert [str(r.values) for r in results] == [str({"a": a, "b": b}) for a in (1, 1.0, True) for b in (3, 4, 5)]


@pytest.mark.parametrize("name", ["tpe", "cma_es"])
def test_results_are_used(name):
    """Later proposals are nearer to the optimum than the first ones; failed and running trials are no obstacle."""
    needs(name)
    results = run(name, 0, 40)
    running = Result(40, results[0].values)
    assert propose(name, SPACES[name], 0, 41, [*results, running]) is not None
    scores = [objective(result.values) for result in results]
    assert np.mean(scores[-10:]) > np.mean(scores[:10])


@pytest.mark.slow
def test_with_thirty_trials_tpe_beats_random_on_a_planted_objective():
    """Best of 30 trials over 20 seeds: the mean regret is lower, and it wins most of the pairs."""
    needs("tpe")
    best = {
        name: np.array([max(objective(r.values) for r in run(name, seed, 30)) for seed in range(20)])
        for name in ("tpe", "random")
    }
    assert np.mean(best["tpe"]) > np.mean(best["random"])
    assert np.sum(best["tpe"] > best["random"]) >= 15  # 20 fair coins: p 0.02


@pytest.mark.parametrize("name", PACKAGES)
def test_a_missing_package_is_named_with_its_extra(name, monkeypatch):
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    with pytest.raises(
        Unavailable, match=rf"search\.sampler: {name} needs {PACKAGES[name]}: pip install 'ftaug\[search\]'"
    ):
        propose(name, SPACES[name], 0, 0, [])
