"""The mean prediction of runs, the threshold on validation, and which samples are selected."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ftaug.errors import ExperimentError, FtaugError
from ftaug.interfaces.data import Input, Task
from ftaug.runs import pseudo_labels
from ftaug.runs.cross_validation import Ensemble
from ftaug.runs.prediction import Failures, Prediction
from ftaug.runs.pseudo_labels import MeanPredictions, check_runs, choose_threshold, predict_mean, select

TASK = Task(("a", "b", "c"))


class Keys(list):
    """Samples of which only the keys count."""

    def key(self, index):
        return self[index]

    name = key


def fake_run(outputs=(), *, keys=(), targets=(), task=TASK):
    """A run that predicts `outputs`, for inputs and for the validation samples with these keys."""
    val = SimpleNamespace(samples=Keys(keys), ids=np.arange(len(keys)), targets=np.array(targets))
    experiment = SimpleNamespace(modality="image")
    return SimpleNamespace(
        folder=Path("run"),
        task=task,
        experiment=experiment,
        splits={"val": val} if keys else {},
        logits=lambda split: np.array(outputs),
        probabilities=lambda logits: logits,
        outputs=outputs,
    )


@pytest.fixture
def predicted(monkeypatch):
    """Runs predict their outputs for inputs; None stands for an input that cannot be read."""

    def predict(run, inputs):
        for source, output in zip(inputs, run.outputs, strict=True):
            is_missing = output is None
            yield Prediction(source.name, None if is_missing else np.array(output), error="bad" if is_missing else None)

    monkeypatch.setattr(pseudo_labels, "predict", predict)


def inputs(count):
    return [Input(f"{number}.png", lambda number=number: number) for number in range(count)]


def test_the_mean_gives_each_run_the_same_weight(predicted):
    single = fake_run([[0.9, 0.1, 0.0], None, [0.2, 0.8, 0.0]])
    folds = Ensemble.__new__(Ensemble)
    folds.members = [fake_run([[0.1, 0.9, 0], None, [0, 1, 0]]), fake_run([[0.3, 0.7, 0], None, [0, 1, 0]])]
    folds.task = TASK
    mean = predict_mean([single, folds], inputs(3))
    assert [source.name for source in mean.inputs] == ["0.png", "2.png"]
    np.testing.assert_allclose(mean.probabilities, [[0.55, 0.45, 0], [0.1, 0.9, 0]])
    assert mean.labels.tolist() == [0, 1]
    np.testing.assert_allclose(mean.confidence, [0.55, 0.9])
    np.testing.assert_allclose(mean.agreement, [1 / 3, 1])
    assert (mean.failures.count, mean.failures.shown) == (1, ["1.png: bad"])


def test_the_threshold_is_chosen_on_common_validation_samples():
    rng = np.random.default_rng(0)
    keys, targets = [f"k{i}" for i in range(60)], rng.integers(0, 3, 60)
    first, second = (rng.dirichlet(np.ones(3), 60) + np.eye(3)[targets] for _ in range(2))
    first, second = (each / each.sum(axis=1, keepdims=True) for each in (first, second))
    order = rng.permutation(60)[:50]
    runs = [
        fake_run(first, keys=keys, targets=targets),
        fake_run(second[order], keys=[keys[i] for i in order], targets=targets[order]),
    ]
    chosen = choose_threshold(runs, 0.95)
    mean = (first[order] + second[order]) / 2
    correct = mean.argmax(axis=1) == targets[order]
    candidates = [t for t in mean.max(axis=1) if correct[mean.max(axis=1) >= t].mean() >= 0.95]
    assert chosen.confidence == pytest.approx(min(candidates))
    assert chosen.samples == (mean.max(axis=1) >= min(candidates)).sum()


@pytest.mark.parametrize(
    ("keys", "precision", "problem"),
    [
        (["x"] * 0, 0.9, "no validation samples to choose a threshold on; use --confidence"),
        ([f"other {i}" for i in range(30)], 0.9, "have 0 validation samples in common, and a threshold needs 10"),
        ([f"k{i}" for i in range(30)], 1.0, "no confidence reaches a precision of 1 on 30 validation samples"),
    ],
)
def test_without_a_threshold_the_error_names_the_way_out(keys, precision, problem):
    wrong = [[1.0, 0.0, 0.0]] * 30
    runs = [
        fake_run(wrong, keys=[f"k{i}" for i in range(30)], targets=[1] * 30),
        fake_run(wrong[: len(keys)], keys=keys, targets=[1] * len(keys)),
    ]
    with pytest.raises(FtaugError, match=problem):
        choose_threshold(runs, precision)


def test_held_out_samples_unsure_ones_and_those_above_the_cap_are_left_out(monkeypatch):
    confidence = [0.9, 0.99, 0.8, 0.4, 0.95, 0.9, 0.97]
    labels = [0, 0, 0, 0, 1, 0, 2]
    probabilities = np.full((7, 3), 0.0)
    probabilities[np.arange(7), labels] = confidence
    predictions = MeanPredictions(inputs(7), probabilities, np.ones(7), Failures())
    monkeypatch.setattr(pseudo_labels, "held_out_hashes", lambda runs: {"val": {b"4"}, "test": {b"6"}})
    monkeypatch.setattr(
        pseudo_labels, "content_hashes", lambda run, readers: [str(read()).encode() for read in readers]
    )
    selection = select(predictions, [fake_run()], 0.5, per_class=2)
    assert selection.rows.tolist() == [0, 1]  # of 0, 1, 2 and 5; the earlier of two equal ones
    assert selection.removed == {"val": 1, "test": 1, "confidence": 1, "cap": 2}
    assert select(predictions, [fake_run()], 0.999, None).rows.tolist() == []


def test_runs_of_other_tasks_are_refused():
    assert check_runs([fake_run(), fake_run()]) == TASK
    with pytest.raises(ExperimentError, match="predicts other classes"):
        check_runs([fake_run(), fake_run(task=Task(("a", "b")))])
    with pytest.raises(ExperimentError, match="one class a sample"):
        check_runs([fake_run(task=Task(("a",), regression=True))])
