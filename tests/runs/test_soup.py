"""The greedy soup of Wortsman et al. 2022, on weights of one number that are scored by a function."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Task
from ftaug.runs import soup, weight_mixing
from ftaug.runs.soup import ALL, Soup
from ftaug.runs.weight_mixing import Candidate


@dataclass
class Run:
    """A trained run whose network is one number."""

    folder: Path
    weight: float


@pytest.fixture
def best_soup(monkeypatch):
    """Search the soup of runs with these weights, scored by a function of the weight; return it and the account."""

    def best_soup(weights, score):
        runs = {Path(f"run{number}"): weight for number, weight in enumerate(weights)}

        def evaluate(host, weights, norms=()):
            weight = weights["w"].item()
            return [Candidate(weights, None, {"loss": abs(weight)}, score(weight))]

        monkeypatch.setattr(weight_mixing, "evaluate_weights", evaluate)
        monkeypatch.setattr(weight_mixing, "differing_norms", lambda host, first, second: [])
        monkeypatch.setattr(weight_mixing, "open_ingredient", lambda run, trust_plugins: Run(run, runs[run]))
        monkeypatch.setattr(soup, "weights_of", lambda run: {"w": torch.tensor(run.weight)})
        monkeypatch.setattr(soup, "_require_alike", lambda first, other: None)
        best, account = Soup(Run(*next(iter(runs.items()))), list(runs), trust_plugins=False).best_soup()
        return best.weights["w"].item(), account

    return best_soup


def test_runs_join_best_first_while_the_mean_does_not_lower_the_score(best_soup):
    """By hand: 4 scores best; with 6 the mean is 5, the optimum; with 2 it is 4, and with 20 it is 10."""
    weight, account = best_soup([2.0, 4.0, 20.0, 6.2], lambda weight: -abs(weight - 5.0))
    assert weight == pytest.approx(5.1)
    assert account["ingredients"] == ["run1", "run3"]
    in_soup = {row["soup"]: row["kept"] for row in account["rows"]}
    assert in_soup == {
        "run0": False, "run1": False, "run2": False, "run3": False,
        "the mean with run3": True, "the mean with run0": False, "the mean with run2": False, ALL: False,
    }  # fmt: skip


def test_the_mean_of_all_wins_where_the_greedy_soup_stops_short(best_soup):
    """One extreme each side: adding either lowers the score, both together are the optimum."""
    weight, account = best_soup(
        [0.0, -9.0, 9.6], lambda weight: {0.0: 1.0, 0.2: 2.0}.get(round(weight, 3), -abs(weight))
    )
    assert weight == pytest.approx(0.2, abs=1e-5)
    assert sorted(account["ingredients"]) == ["run0", "run1", "run2"]
    assert account["rows"][-1]["soup"] == ALL and account["rows"][-1]["kept"]


def test_an_equal_score_joins(best_soup):
    weight, account = best_soup([1.0, 3.0], lambda weight: 0.5)
    assert weight == 2.0
    assert account["ingredients"] == ["run0", "run1"]
    assert [row["soup"] for row in account["rows"]] == ["run0", "run1", ALL], "the mean of all is evaluated once"


def opened(**changes):
    experiment = SimpleNamespace(modality="image", backbone=SimpleNamespace(name="resnet20"))
    facts = {
        "folder": Path("run"),
        "experiment": experiment,
        "model": SimpleNamespace(network=nn.Linear(2, 3)),
        "task": Task(("a", "b", "c")),
        "preprocessing": {"size": [32, 32]},
        "activation": "softmax",
        "splits": {"val": SimpleNamespace(fingerprint="f")},
    }
    return SimpleNamespace(**{**facts, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": SimpleNamespace(network=nn.Linear(2, 4))}, "shape"),
        ({"task": Task(("a", "b", "d"))}, "its classes "),
        ({"preprocessing": {"size": [64, 64]}}, "its preprocessing "),
        ({"activation": "sigmoid"}, "its kind of loss "),
        ({"splits": {"val": SimpleNamespace(fingerprint="g")}}, "its validation samples "),
    ],
)
def test_runs_without_a_mean_are_refused(monkeypatch, changes, words):
    monkeypatch.setattr(soup, "overlapping", lambda folder, experiment, splits: [])
    soup._require_alike(opened(), opened(folder=Path("other")))
    with pytest.raises(ExperimentError, match=f"^other: .*{words}"):
        soup._require_alike(opened(), opened(folder=Path("other"), **changes))
