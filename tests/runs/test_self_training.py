"""Self-training: which runs there are, what a kill leaves, and when the student is the result."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from ftaug.errors import ExperimentError, Interrupted, StorageError
from ftaug.experiment_file import load
from ftaug.runs import self_training
from ftaug.runs.prediction import Failures
from ftaug.runs.pseudo_label_table import Options, PseudoLabels
from ftaug.runs.pseudo_labels import NothingLabeled
from ftaug.runs.self_training import SelfTraining, check, conclusion, is_accepted, open_folder, run_self_training
from ftaug.statistics.comparison import Difference

SUMMARY = {
    "inputs": 9,
    "samples": 4,
    "classes": {"0": 4},
    "mean_confidence": 0.9,
    "agreement": 1.0,
    "confidence": 0.8,
    "removed": {},
    "validation": None,
    "dataset": "{image_table: {path: t.csv}}",
}


@pytest.fixture
def training(write):
    path = write("name: few\nseed: 7\ndata: {train: digits}\nbackbone: resnet20\n")
    return SelfTraining(load(path), "abcd1234", ("train.epochs=3",), ("pool",), 2, Options(soft=True))


@pytest.fixture
def calls(monkeypatch):
    """What is trained, labeled and compared, in order; no network is."""
    calls = []

    def label(members, unlabeled, table, options, *, trust_plugins):
        calls.append(("label", [run.name for run in members], *unlabeled))
        return PseudoLabels(SUMMARY, SUMMARY["dataset"], Failures(), 9)

    def choose(baseline, student, *, trust_plugins):
        calls.append(("choose", baseline.name, student.name))
        return {"run": str(student), "accepted": True, "reason": None, "difference": None}

    monkeypatch.setattr(self_training, "write_pseudo_labels", label)
    monkeypatch.setattr(self_training, "choose", choose)
    return calls


def trainer(calls, stop_at=None, error=None):
    """A function that completes a run at once, but for one."""

    def train(run):
        calls.append((run.spec.name, run.spec.overrides))
        if run.spec.name == stop_at:
            raise error
        (run.path / "complete.json").write_text(json.dumps({"step": 1, "best": 1, "metrics": {"accuracy": 1.0}}))

    return train


def test_members_label_and_the_student_has_the_seed_of_the_first(training, calls, tmp_path):
    folder = open_folder(training, tmp_path / "st")
    result = run_self_training(training, folder, trainer(calls), trust_plugins=False)
    shared = ("train.epochs=3",)
    assert calls == [
        ("member-1", (*shared, "seed=7", "data.split_seed=7")),
        ("member-2", (*shared, "seed=8", "data.split_seed=7")),
        ("label", ["member-1", "member-2"], "pool"),
        ("student", (*shared, "seed=7", "data.split_seed=7", "data.pseudo_labels={image_table: {path: t.csv}}")),
        ("choose", "member-1", "student"),
    ]
    assert json.loads((tmp_path / "st" / "self-training.json").read_text()) == json.loads(json.dumps(result))


@pytest.mark.parametrize("stop_at", ["member-1", "member-2", "student"])
def test_the_same_command_continues(training, calls, tmp_path, stop_at):
    folder = open_folder(training, tmp_path / "st")
    with pytest.raises(Interrupted):
        run_self_training(training, folder, trainer(calls, stop_at, Interrupted("Ctrl-C")), trust_plugins=False)
    again = open_folder(training, tmp_path / "st")
    result = run_self_training(training, again, trainer(calls), trust_plugins=False)
    assert result["accepted"]
    names = [call[0] for call in calls]
    expected = ["member-1", "member-2", "label", "student", "choose"]
    expected.insert(expected.index(stop_at), stop_at)
    assert names == expected


def test_a_run_that_fails_is_named(training, calls, tmp_path):
    folder = open_folder(training, tmp_path / "st")
    with pytest.raises(ExperimentError, match=r"member-1: no such layer; delete that folder to try again"):
        run_self_training(
            training, folder, trainer(calls, "member-1", ExperimentError("no such layer")), trust_plugins=False
        )
    assert "label" not in [call[0] for call in calls]


def test_a_full_disk_ends_the_command(training, calls, tmp_path):
    with pytest.raises(StorageError):
        folder = open_folder(training, tmp_path / "st")
        run_self_training(training, folder, trainer(calls, "member-2", StorageError("full")), trust_plugins=False)


def test_without_pseudo_labels_the_labeled_run_is_the_result(training, calls, tmp_path, monkeypatch):
    def label(*_, **__):
        calls.append(("label",))
        raise NothingLabeled("no confidence reaches a precision of 0.95")

    monkeypatch.setattr(self_training, "write_pseudo_labels", label)
    for _ in range(2):  # what was found is not looked for again
        folder = open_folder(training, tmp_path / "st")
        result = run_self_training(training, folder, trainer(calls), trust_plugins=False)
        assert (result["run"], result["accepted"]) == (str(tmp_path / "st" / "member-1"), False)
        assert "trained on the labeled samples alone: no confidence reaches" in conclusion(result)
    assert [call[0] for call in calls] == ["member-1", "member-2", "label"]


def test_a_folder_of_another_self_training_is_refused(training, tmp_path):
    open_folder(training, tmp_path / "st")
    with pytest.raises(ExperimentError, match="holds a self-training with other members, precision"):
        open_folder(replace(training, members=5, options=Options(precision=0.8, soft=True)), tmp_path / "st")


@pytest.mark.parametrize(
    ("line", "problem"),
    [("  val: null", r"data\.val: self-training compares"), ("  pseudo_labels: digits", r"data\.pseudo_labels")],
)
def test_experiments_that_do_not_fit(write, training, line, problem):
    path = write(f"data:\n  train: digits\n{line}\nbackbone: resnet20\n")
    with pytest.raises(ExperimentError, match=problem):
        check(replace(training, experiment=load(path)))


@pytest.mark.parametrize(("student", "accepted"), [(0.91, True), (0.9, False), (0.89, False)])
def test_a_student_that_is_not_better_on_validation_is_not_the_result(student, accepted):
    difference = Difference(0.9, student, student - 0.95, student - 0.85, 0.5, "mcnemar", higher_is_better=True)
    assert is_accepted(difference) is accepted


@pytest.mark.parametrize("low", [-0.15, None])
def test_the_conclusion_has_the_difference_and_its_interval(low):
    difference = {"metric": "accuracy", "samples": 60, "labeled": 0.9, "student": 0.8, "value": -0.1}
    difference |= {"low": low, "high": low and -0.05}
    result = {"run": "st/member-1", "accepted": False, "difference": difference}
    text = conclusion(result)
    assert "result: st/member-1, trained on the labeled samples alone, as the student is not better" in text
    assert ("95 % interval -0.1500 to -0.0500" in text) is (low is not None)
    assert "result: st/student, the student: accuracy on 60" in conclusion(
        {"run": "st/student", "accepted": True, "difference": difference}
    )


def test_runs_are_compared_on_their_validation_samples(monkeypatch, tmp_path):
    from predictions import from_classes

    truth = [0] * 50 + [1] * 50
    worse = [1] * 20 + truth[20:]
    records = {"member-1": from_classes(truth, truth), "student": from_classes(worse, truth)}
    monkeypatch.setattr(self_training, "_validation_records", lambda run, trust_plugins: records[run.name])
    result = self_training.choose(tmp_path / "member-1", tmp_path / "student", trust_plugins=False)
    assert (result["run"], result["accepted"]) == (str(tmp_path / "member-1"), False)
    difference = SimpleNamespace(**result["difference"])
    assert difference.value == pytest.approx(-0.2) and difference.samples == 100
    assert difference.low < -0.2 < difference.high < 0
