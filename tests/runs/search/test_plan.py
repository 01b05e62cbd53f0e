"""Which runs a search consists of, with a planted objective in place of training."""

import math
from collections import Counter

import pytest
from planted_search import finished, searched, simulate

from ftaug.runs.search.plan import SearchPlan
from ftaug.runs.search.trials import trials_of
from ftaug.runs.study.study_run import Failure, StudyRun


def rate(spec):
    return float(next(text for text in spec.overrides if text.startswith("lr.peak=")).partition("=")[2])


def near_a_hundredth(spec):
    return 1 - abs(math.log10(rate(spec)) + 2) / 4 if "lr.peak=" in str(spec.overrides) else 0.5


def test_two_searches_consist_of_the_same_runs(tmp_path):
    plan = SearchPlan(searched(tmp_path, "{trials: 6, seeds: 2, confirm: {finalists: 2, seeds: 2}}"))
    runs = simulate(plan, near_a_hundredth)
    assert [run.spec for run in simulate(plan, near_a_hundredth)] == [run.spec for run in runs]
    assert len(runs) == plan.total == 6 * 2 + 3 * 2


def test_no_two_runs_are_the_same_training(tmp_path):
    """A parameter that is not applied would make trials train identically."""
    plan = SearchPlan(searched(tmp_path, "{trials: 6, seeds: 2, confirm: {finalists: 2, seeds: 2}}"))
    runs = simulate(plan, near_a_hundredth)
    experiments = [plan.search.file.experiment(run.spec.overrides) for run in runs]
    assert len(set(experiments)) == len(runs)
    assert {experiment.data.split_seed for experiment in experiments} == {0}
    assert {experiment.data.confirmation for experiment in experiments} == {0.5}


def test_an_interrupted_search_continues_with_the_same_runs(tmp_path):
    plan = SearchPlan(searched(tmp_path, "{trials: 5, ladder: {steps: [20%, 100%]}}"))
    runs = simulate(plan, near_a_hundredth)
    for count in range(len(runs)):
        assert plan(runs[:count]) == runs[count].spec


def test_seeds_of_the_confirmation_are_paired_and_new(tmp_path):
    plan = SearchPlan(searched(tmp_path, "{trials: 3, seeds: 2, confirm: {finalists: 1, seeds: 3}}"))
    runs = simulate(plan, near_a_hundredth)
    seeds = {}
    for run in runs:
        seed = next(int(text[5:]) for text in run.spec.overrides if text.startswith("seed="))
        seeds.setdefault(run.spec.facts.get("candidate", "trial"), set()).add(seed)
    trial, default, finalist = (
        seeds.pop(name) for name in ("trial", "default", [*seeds][1 - ([*seeds][1] == "default")])
    )
    assert trial == {0, 1}
    assert default == finalist == {2, 3, 4}


def test_the_best_trials_are_trained_longer(tmp_path):
    plan = SearchPlan(searched(tmp_path, "{trials: 9, ladder: {steps: [10%, 50%, 100%], keep: 1/3}, confirm: null}"))
    runs = simulate(plan, near_a_hundredth)
    epochs = Counter(plan.search.file.experiment(run.spec.overrides).train.epochs for run in runs)
    assert epochs == {1: 9, 5: 3, 10: 1}
    trials = trials_of(runs)
    ranked = sorted(trials, key=lambda trial: -near_a_hundredth(trial.runs[0, 0].spec))
    assert {t.number for t in trials if t.last_step >= 1} == {t.number for t in ranked[:3]}
    assert plan.finalists(trials) == [ranked[0]]


def test_a_step_waits_for_all_trials_before_it(tmp_path):
    plan = SearchPlan(searched(tmp_path, "{trials: 3, ladder: {steps: [10%, 100%]}, confirm: null}"))
    runs = simulate(plan, near_a_hundredth, until=lambda runs: len(runs) == 3)
    running = StudyRun(runs[1].spec, runs[1].path)
    assert plan([runs[0], running, runs[2]]) is None
    assert plan(runs).facts["step"] == 1


def test_a_failed_trial_is_neither_promoted_nor_trained_with_other_seeds(tmp_path):
    plan = SearchPlan(searched(tmp_path, "{trials: 4, seeds: 2, ladder: {steps: [10%, 100%], keep: 50%}}"))

    def objective(spec):
        return Failure(3, "diverged") if spec.facts.get("trial") == 1 else near_a_hundredth(spec)

    runs = simulate(plan, objective)
    trials = trials_of(runs)
    assert len(trials[1].runs) == 1
    assert trials[1] not in plan.finalists(trials)
    assert len(trials) == 4


def test_no_trial_is_started_after_the_budget(tmp_path):
    count = iter(range(100))
    plan = SearchPlan(searched(tmp_path, "{trials: 30}"), lambda: next(count) < 3)
    assert len(trials_of(simulate(plan, near_a_hundredth))) == 3


def test_a_removed_trial_is_proposed_again(tmp_path):
    plan = SearchPlan(searched(tmp_path, "{trials: 4, confirm: null}"))
    runs = simulate(plan, near_a_hundredth)
    assert plan([run for run in runs if run.spec.name != "trial-0001"]) == runs[1].spec


def test_the_lowest_loss_is_the_best(tmp_path):
    plan = SearchPlan(searched(tmp_path, "{trials: 4, best: loss, confirm: null}"))
    runs = [finished(run.spec, near_a_hundredth(run.spec)) for run in simulate(plan, near_a_hundredth)]
    (best,) = plan.finalists(trials_of(runs))
    assert best.runs[0, 0].metrics["loss"] == min(run.metrics["loss"] for run in runs)


@pytest.mark.parametrize("sampler", ["sobol", "random"])
def test_trials_differ(tmp_path, sampler):
    plan = SearchPlan(searched(tmp_path, f"{{trials: 8, sampler: {sampler}, confirm: null}}"))
    assert len({str(run.spec.facts["values"]) for run in simulate(plan, near_a_hundredth)}) == 8
