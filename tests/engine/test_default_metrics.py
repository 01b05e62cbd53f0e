import pytest

from ftaug.config.dump import digest, to_yaml
from ftaug.engine.default_metrics import reason, with_default_metrics
from ftaug.interfaces import Task
from ftaug.load import load

CLASSES, LABELS = Task(("a", "b")), Task(("a", "b"), multi_label=True)
NUMBERS = Task(("price",), regression=True)
TEXT = "data: {train: digits}\nbackbone: resnet20\n"


def resolved(folder, task, text="", *overrides):
    (folder / "a.yaml").write_text(TEXT + text)
    experiment = with_default_metrics(load(folder / "a.yaml", overrides), task)
    evaluate = experiment.evaluate
    return [metric.name for metric in evaluate.metrics], evaluate.best, reason(experiment, task) is not None


def test_the_task_chooses_where_the_file_is_silent(tmp_path):
    assert resolved(tmp_path, CLASSES) == (["accuracy"], "accuracy", True)
    assert resolved(tmp_path, LABELS) == (["average_precision"], "average_precision", True)
    assert resolved(tmp_path, NUMBERS) == (["rmse"], "rmse", True)
    assert resolved(tmp_path, LABELS, "evaluate: {every: 2 epochs}\n")[0] == ["average_precision"]


def test_the_loss_still_chooses_where_the_file_says_so(tmp_path):
    assert resolved(tmp_path, LABELS, "evaluate: {best: loss}\n") == (["average_precision"], "loss", True)


@pytest.mark.parametrize(
    ("text", "overrides", "metrics"),
    [
        ("evaluate: {metrics: [accuracy]}\n", (), ["accuracy"]),
        ("evaluate: {best: accuracy}\n", (), ["accuracy"]),
        ("evaluate: {metrics: []}\n", (), []),
        ("evaluate: {metrics: [accuracy, f1], best: f1}\n", (), ["accuracy", "f1"]),
        ("", ("evaluate.metrics=[accuracy]",), ["accuracy"]),
        ("", ("evaluate={metrics: [accuracy]}",), ["accuracy"]),
        ("", ("evaluate.best=accuracy",), ["accuracy"]),
        ("", ("evaluate.metrics+=f1",), ["accuracy", "f1"]),
    ],
)
def test_what_the_file_says_is_never_replaced(tmp_path, text, overrides, metrics):
    found, _, chosen = resolved(tmp_path, LABELS, text, *overrides)
    assert (found, chosen) == (metrics, False)


def test_an_experiment_for_one_class_a_sample_is_what_it_was(tmp_path):
    (tmp_path / "a.yaml").write_text(TEXT)
    experiment = load(tmp_path / "a.yaml")
    assert with_default_metrics(experiment, CLASSES) is experiment
    assert digest(experiment) == digest(load(tmp_path / "a.yaml", ["evaluate.metrics=[accuracy]"]))


def test_the_resolved_file_gives_the_same_experiment(tmp_path):
    (tmp_path / "a.yaml").write_text(TEXT + "loss: binary_cross_entropy\n")
    experiment = with_default_metrics(load(tmp_path / "a.yaml"), LABELS)
    (tmp_path / "b.yaml").write_text(to_yaml(experiment))
    assert load(tmp_path / "b.yaml") == experiment
