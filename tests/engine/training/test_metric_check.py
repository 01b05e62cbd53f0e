from types import SimpleNamespace

import numpy as np
import pytest

from ftaug.config.kinds import metric
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.metric_check import check
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load
from ftaug.interfaces.data import Task

CLASSES, LABELS = Task(("a", "b")), Task(("a", "b"), multi_label=True)
NUMBERS = Task(("price", "area"), regression=True)
TEXT = "data: {train: digits}\nbackbone: resnet20\n"


def split(purpose, targets, task):
    return DataSplit(purpose, SimpleNamespace(), np.arange(len(targets)), np.asarray(targets), task)


def checked(folder, task, val, *overrides, **others):
    (folder / "a.yaml").write_text(TEXT)
    splits = {"val": val, **others}
    return check(load(folder / "a.yaml", overrides), {name: split(name, one, task) for name, one in splits.items()})


def refused(*args, **others):
    with pytest.raises(ExperimentError) as caught:
        checked(*args, **others)
    return str(caught.value)


def test_what_is_defined_passes_without_a_word(tmp_path):
    metrics = "evaluate.metrics=[auroc, average_precision, accuracy, f1, quadratic_kappa, top_k, ece]"
    assert checked(tmp_path, CLASSES, [0, 1, 1], metrics, test=[0, 1]) == []


def test_the_metric_that_chooses_must_be_defined(tmp_path):
    said = refused(tmp_path, CLASSES, [1] * 23, "evaluate.metrics=[auroc, accuracy]")
    assert said == (
        "override 'evaluate.metrics=[auroc, accuracy]': evaluate.best: auroc cannot be measured on val, 23 samples, "
        "all of class 'b'; choose by accuracy or loss, or give val other samples"
    )


def test_another_metric_or_split_is_a_caution(tmp_path):
    metrics = "evaluate.metrics=[accuracy, auroc]"
    assert checked(tmp_path, CLASSES, [1] * 3, metrics, test=[0, 0]) == [
        "auroc cannot be measured on val, 3 samples, all of class 'b'",
        "auroc cannot be measured on test, 2 samples, all of class 'a'",
    ]
    assert checked(tmp_path, CLASSES, [0, 1], "evaluate.metrics=[auroc]", test=[0]) == [
        "auroc cannot be measured on test, 1 sample, all of class 'a'"
    ]


def test_numbers_that_are_all_the_same(tmp_path):
    data = "data.train={image_table: {path: t.csv, target: [price, area]}}"
    given = (data, "loss=huber", "evaluate.metrics=[pearson, rmse]")
    said = refused(tmp_path, NUMBERS, np.array([[1, 2], [1, 3], [1, 4]], np.float32), *given)
    assert "pearson cannot be measured on val, 3 samples of which price is always the same; choose by rmse" in said
    assert checked(tmp_path, NUMBERS, np.array([[2, 2], [1, 3], [1, 4]], np.float32), *given) == []


def test_a_label_that_no_sample_has_leaves_the_others(tmp_path):
    given = ("loss=binary_cross_entropy", "evaluate.metrics=[average_precision]")
    assert checked(tmp_path, LABELS, np.array([[1, 0], [0, 0]], np.uint8), *given) == []
    assert "cannot be measured" in refused(tmp_path, LABELS, np.array([[1, 0], [1, 0]], np.uint8), *given)


def test_one_sample_of_another_class_among_a_million_is_found(tmp_path):
    targets = np.ones(1_000_000, np.int64)
    targets[123_457] = 0
    assert checked(tmp_path, CLASSES, targets, "evaluate.metrics=[auroc]") == []


def test_a_metric_of_a_plugin_that_raises_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(metric, "_entries", dict(metric._entries))

    @metric.register
    def strict(probabilities: np.ndarray, targets: np.ndarray, task: Task) -> float:
        """Needs two classes."""
        if len(set(targets.tolist())) < 2:
            raise ValueError("only one class in y_true")
        return 0.5

    assert checked(tmp_path, CLASSES, [0, 1], "evaluate.metrics=[strict]") == []
    said = refused(tmp_path, CLASSES, [1, 1], "evaluate.metrics=[accuracy, strict]")
    assert "strict fails on val, 2 samples, all of class 'b': only one class in y_true" in said
