"""The comparison with the unsearched experiment: on fresh samples, and rarely wrong where nothing differs."""

from pathlib import Path

import numpy as np
import pytest
from planted_search import finished

from ftaug.errors import BadData
from ftaug.experiment_file import load
from ftaug.interfaces.data import Task
from ftaug.runs.compared_runs import RunSettings
from ftaug.runs.search import confirm as module
from ftaug.runs.search.confirm import confirm, require_confirmation
from ftaug.runs.study.study_run import Failure, RunSpec
from ftaug.statistics.records import Records

TASK = Task(("cat", "dog"))
SAMPLES, SEEDS = 120, 5


@pytest.fixture
def predicted(monkeypatch):
    """Predictions of runs by their folders."""
    records: dict[str, Records] = {}
    settings = {"evaluate.best": '"accuracy"', "evaluate.metrics.0": '"accuracy"'}
    monkeypatch.setattr(module, "_records", lambda run, device: records[run.name])
    monkeypatch.setattr(module, "read_settings", lambda run: RunSettings(Path(run), TASK, dict(settings), "0", False))
    return records


def simulate(records, rng, name, seeds, difficulty, skill, selection=None):
    """Runs of a candidate: a sample is right by its difficulty and the noise of the seed."""
    runs = {}
    for seed in range(seeds):
        right = difficulty + rng.normal(scale=0.7, size=SAMPLES) + rng.normal(scale=0.1) < skill
        targets = np.arange(SAMPLES) % 2
        probabilities = np.where(right[:, None], np.eye(2)[targets], np.eye(2)[1 - targets]) * 0.8 + 0.1
        run = finished(RunSpec(f"{name}-{seed}", ()), right.mean() if selection is None else selection)
        records[run.path.name] = Records(TASK, probabilities, targets, None)
        runs[seed] = run
    return runs


def compared(records, rng, skills, seeds=SEEDS):
    difficulty = rng.normal(size=SAMPLES)
    default = simulate(records, rng, "default", seeds, difficulty, skills[0])
    names = [f"{number:04}" for number in range(1, len(skills))]
    groups = {
        name: simulate(records, rng, name, seeds, difficulty, skill, rng.normal())
        for name, skill in zip(names, skills[1:], strict=True)
    }
    return confirm(names, default, groups, "accuracy", higher_is_better=True, device="cpu")


@pytest.mark.slow
def test_without_a_difference_at_most_one_in_twenty_is_better(predicted):
    """A/A: three finalists that differ by noise alone from the default; the best is chosen by other samples."""
    rng = np.random.default_rng(0)
    better = sum(compared(predicted, rng, [1.0] * 4).is_better for _ in range(200))
    assert better <= 10


def test_a_planted_improvement_is_confirmed(predicted):
    rng = np.random.default_rng(1)
    results = [compared(predicted, rng, [0.6, 1.4, 1.4]) for _ in range(2)]
    assert all(result.is_better for result in results)
    assert " is better than the unsearched experiment: accuracy +0." in results[0].sentence
    assert "on 120 samples that no trial has seen, 5 seeds each" in results[0].sentence
    worse = compared(predicted, rng, [1.5, 0.3])
    assert " is worse than the unsearched experiment: accuracy -0." in worse.sentence


def test_the_finalist_is_chosen_by_the_other_half(predicted):
    rng, difficulty = np.random.default_rng(2), np.zeros(SAMPLES)
    default = simulate(predicted, rng, "default", 2, difficulty, 0.5)
    groups = {
        "0001": simulate(predicted, rng, "0001", 2, difficulty, 0.5, selection=0.9),
        "0002": simulate(predicted, rng, "0002", 2, difficulty, 2.0, selection=0.8),
    }
    for higher, chosen in ((True, "0001"), (False, "0002")):
        result = confirm([*groups], default, groups, "accuracy", higher_is_better=higher, device="cpu")
        assert result.candidate == chosen
        assert {name: result.means[name] for name in groups} == {"0001": pytest.approx(0.9), "0002": pytest.approx(0.8)}


def test_seeds_of_failed_runs_are_left_out_of_both_sides(predicted):
    rng, difficulty = np.random.default_rng(3), np.zeros(SAMPLES)
    default = simulate(predicted, rng, "default", 3, difficulty, 0.5)
    runs = simulate(predicted, rng, "0001", 3, difficulty, 0.5)
    runs[1] = finished(RunSpec("0001-1", ()), Failure(3, "diverged"))
    assert confirm(["0001"], default, {"0001": runs}, "accuracy", higher_is_better=True, device="cpu").seeds == 2
    assert confirm(["0001"], {}, {"0001": runs}, "accuracy", higher_is_better=True, device="cpu") is None


def test_a_validation_too_small_to_confirm_on_is_named(write):
    text = "data: {train: {digits: {per_class: 10}}, val: {split: %s}, confirmation: 50%%}\nbackbone: resnet18\n"
    require_confirmation(load(write(text % "40")))
    with pytest.raises(BadData, match=r"data\.val: 15 samples would be held out to confirm the result, and 20 are"):
        require_confirmation(load(write(text % "30")))
