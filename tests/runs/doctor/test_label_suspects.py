"""Wrong labels are found by a regression on features of the backbone, and named."""

import numpy as np
import pytest
from doctor_data import scanned, write_pictures

from ftaug.errors import ExperimentError
from ftaug.experiment_file import load
from ftaug.interfaces.data import Task
from ftaug.runs.doctor import label_suspects
from ftaug.runs.doctor.backbone_features import backbone_features

DIGITS = "data: {train: {digits: {per_class: 30}}, val: null, test: digits, workers: 0}\nbackbone: resnet20\n"


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


def test_features_of_the_backbone_predict_out_of_fold(write):
    config = write(DIGITS)
    scan = scanned(config)
    experiment = load(config)
    features = np.concatenate([*backbone_features(experiment, scan.splits, "cpu").values()])
    predicted = label_suspects.predicted_from_features(experiment, scan, np.arange(len(scan)), features)
    for purpose, probabilities in predicted.items():
        targets = scan.targets(scan.rows(purpose))
        assert (probabilities.argmax(axis=1) == targets).mean() > 0.85


def test_only_single_labels():
    label_suspects.check_task(Task(("a", "b")))
    for task in (Task(("a", "b"), multi_label=True), Task(("x",), regression=True)):
        with pytest.raises(
            ExperimentError, match="--labels: finds label errors of single-label tasks, and this one is"
        ):
            label_suspects.check_task(task)
