"""Nearest neighbors before and after a pretraining, and what is kept if they are not better."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from ftaug.interfaces.data import Task
from ftaug.runs import pretraining
from ftaug.runs.penultimate_features import NoFeatures
from ftaug.runs.pretraining import NEIGHBORS, assess, conclusion, is_better, neighbor_records
from ftaug.statistics.comparison import Difference


def test_neighbors_are_those_of_scikit_learn_without_the_sample_itself():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 3, 60)
    vectors = (np.eye(3)[targets] @ rng.normal(size=(3, 8)) + rng.normal(size=(60, 8))).astype(np.float32)
    split = SimpleNamespace(targets=targets, task=Task(("a", "b", "c")), samples=SimpleNamespace(groups=None), ids=None)
    split = type("Split", (SimpleNamespace,), {"__len__": lambda self: 60})(**vars(split))
    records = neighbor_records(vectors, split)
    scaled = (vectors - vectors.mean(axis=0)) / vectors.std(axis=0)
    for row in range(60):
        rest = np.delete(np.arange(60), row)
        model = KNeighborsClassifier(NEIGHBORS, metric="cosine").fit(scaled[rest], targets[rest])
        np.testing.assert_allclose(records.predictions[row], model.predict_proba(scaled[row : row + 1])[0], atol=1e-6)
    assert (records.targets == targets).all()


@pytest.mark.parametrize(("low", "better"), [(0.001, True), (-0.001, False), (float("nan"), False)])
def test_better_is_an_interval_above_0(low, better):
    assert is_better(Difference(0.8, 0.81, low, 0.02, 0.04, "mcnemar", higher_is_better=True)) is better


def test_the_conclusion_names_the_next_command_or_what_is_kept():
    difference = {"before": 0.8, "after": 0.9, "value": 0.1, "low": 0.05, "high": 0.15}
    result = {"run": "runs/p", "samples": 100, "difference": difference, "better": True}
    text = conclusion(result)
    assert "10 nearest neighbors among 100 training samples 0.8000 → 0.9000 (+0.1000, 95 % interval +0.0500 to" in text
    assert text.endswith("better; continue with: ftaug train CONFIG --from runs/p")
    assert conclusion({**result, "better": False}).endswith("not better, so that the initial weights are kept")
    unmeasured = {**result, "difference": None, "better": None, "reason": "the network has no output layer"}
    assert conclusion(unmeasured) == (
        "the features are not compared: the network has no output layer; the last weights are kept"
    )


def test_a_network_without_features_keeps_its_last_weights(tmp_path, monkeypatch):
    """As one that predicts masked tokens."""

    def features(opened, split):
        raise NoFeatures("has no single layer that computes its outputs")

    split = type("Split", (SimpleNamespace,), {"__len__": lambda self: 60})(task=Task(("a", "b")))
    monkeypatch.setattr(pretraining, "features", features)
    monkeypatch.setattr(pretraining, "open_run", lambda run, trust_plugins: SimpleNamespace(splits={"train": split}))
    result = assess(tmp_path)
    assert result == assess(tmp_path)  # from its file
    assert (result["better"], result["reason"]) == (None, "the network has no single layer that computes its outputs")
