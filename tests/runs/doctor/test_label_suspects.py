"""Wrong labels are found by a regression on features of the backbone, and named."""

from dataclasses import replace

import numpy as np
import pytest
from doctor_data import scanned, write_pictures

from ftaug.errors import ExperimentError
from ftaug.experiment_file import load
from ftaug.interfaces.data import Task
from ftaug.runs.doctor import label_suspects
from ftaug.runs.doctor.backbone_features import backbone_features

DIGITS = "data: {train: digits, val: null, test: digits, workers: 0}\nbackbone: resnet20\n"


def test_predictions_make_suspects(tmp_path):
    scan = scanned(write_pictures(tmp_path))
    correct = np.eye(2, dtype=np.float32)[scan.targets(np.arange(len(scan)))] * 0.9 + 0.05
    correct[[3, 14]] = correct[[3, 14], ::-1]
    rows = {purpose: scan.rows(purpose) for purpose in scan.splits}
    suspects = label_suspects.find(scan, {purpose: correct[places] for purpose, places in rows.items()})
    assert sorted(suspects.rows.tolist()) == [3, 14]
    assert suspects.count == 2
    finding = label_suspects.finding(scan, suspects)
    assert (finding.level, finding.count) == ("caution", 2)
    assert set(finding.examples) == {f"{tmp_path}/train/cat/3.png (cat): dog", f"{tmp_path}/test/cat/2.png (cat): dog"}
    report = label_suspects.as_json(scan, suspects)
    assert report["estimated"] == 2
    assert {each["suggested"] for each in report["ranking"]} == {"dog"}
    assert (
        label_suspects.finding(scan, label_suspects.find(scan, {"train": np.eye(2)[scan.targets(rows["train"])]})).level
        == "note"
    )


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A scan of digits, and their features."""
    folder = tmp_path_factory.mktemp("digits")
    (folder / "digits.yaml").write_text(DIGITS)
    scan = scanned(folder / "digits.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "caches"))
        return scan, backbone_features(load(folder / "digits.yaml"), scan, "cpu")


def test_features_of_the_backbone_predict_out_of_fold(write, digits):
    scan, features = digits
    predicted = label_suspects.predicted_from_features(load(write(DIGITS)), scan, np.arange(len(scan)), features)
    for purpose, probabilities in predicted.items():
        targets = scan.targets(scan.rows(purpose))
        assert (probabilities.argmax(axis=1) == targets).mean() > 0.85


SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
"""The segments of a seven-segment display that show each digit."""


def test_one_wrong_label_of_several(write, digits):
    scan, features = digits
    truth = np.array([[segment in lit for segment in "abcdefg"] for lit in SEGMENTS], np.uint8)
    right = truth[scan.targets(np.arange(len(scan)))]
    rng = np.random.default_rng(0)
    changed = rng.choice(len(right), len(right) // 20, replace=False)
    labels = right.copy()
    labels[changed, rng.integers(0, 7, len(changed))] ^= 1
    task = Task(tuple("abcdefg"), multi_label=True)
    scan = replace(
        scan,
        splits={
            purpose: replace(split, task=task, targets=labels[scan.rows(purpose)])
            for purpose, split in scan.splits.items()
        },
    )
    predicted = label_suspects.predicted_from_features(load(write(DIGITS)), scan, np.arange(len(scan)), features)
    suspects = label_suspects.find(scan, predicted)
    first = suspects.rows[: len(changed)]
    assert np.isin(first, changed).mean() >= 0.8
    assert len(changed) / 1.5 < suspects.count < len(changed) * 1.5
    hits = [(place, row) for place, row in enumerate(first.tolist()) if row in changed]
    suggested = [suspects.suggested(place) == ", ".join(np.array([*"abcdefg"])[right[row] == 1]) for place, row in hits]
    assert np.mean(suggested) > 0.9
    assert label_suspects.finding(scan, suspects).examples[0].count(": ") == 1


def test_numbers_have_no_wrong_labels():
    for task in (Task(("a", "b")), Task(("a", "b"), multi_label=True)):
        label_suspects.check_task(task)
    with pytest.raises(ExperimentError, match="--labels: finds wrong labels of classes, and this task is regression"):
        label_suspects.check_task(Task(("x",), regression=True))
