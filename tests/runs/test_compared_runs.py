"""What is known of a run without its model: settings, task, records, and whether another run repeats it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluated_runs import write_run
from predictions import multi_label, single_label

from ftaug.errors import BadData, MissingInput
from ftaug.runs import calibration_file, compared_runs
from ftaug.runs.calibration_file import Calibration
from ftaug.runs.compared_runs import read_settings
from ftaug.statistics.calibration import Scaling

RECORDS = single_label(n=40, classes=3)
RESULTS = {"checkpoint": "step-0000004", "samples": 1, "metrics": {}}
"""The results of an evaluation."""


def changed(folder, file, **values):
    content = json.loads((folder / file).read_text()) | values
    (folder / file).write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("settings", "facts", "is_repeat"),
    [
        ({"seed": 2}, {}, True),
        ({"seed": 1}, {}, False),
        ({"seed": 2, "name": "other", "train": {"epochs": 3, "max_time": 5}}, {}, True),
        ({"seed": 2, "train": {"epochs": 4, "max_time": 1}}, {}, False),
        ({"seed": 2, "data": {"train": {"image_folder": {"path": "/moved"}}}}, {}, True),
        ({"seed": 2}, {"data": {"train": "more samples"}}, False),
        ({"seed": 2}, {"mixed": "blend"}, False),
    ],
)
def test_runs_that_differ_by_their_seed_alone_are_repeats(tmp_path, settings, facts, is_repeat):
    tree = {"train": {"epochs": 3, "max_time": 1}, "data": {"train": {"image_folder": {"path": "/photos"}}}}
    for name in "ab":
        write_run(tmp_path / name, RECORDS, seed=1, **tree)
    changed(tmp_path / "b", "resolved.yaml", **settings)
    changed(tmp_path / "b", "model.json", **facts)
    first, second = (read_settings(tmp_path / name) for name in "ab")
    assert first.is_repeat_of(second) is second.is_repeat_of(first) is is_repeat


def test_folds_are_compared_out_of_fold(tmp_path):
    records = multi_label(n=40)
    for number, low in ((1, 0.2), (2, 0.6)):
        fold = write_run(tmp_path / f"fold-{number}", records, data={"val": {"fold": number, "of": 2}})
        thresholds = dict.fromkeys(records.task.classes, low)
        (fold / "thresholds.json").write_text(json.dumps({"thresholds": thresholds}))
    (tmp_path / "folds.json").write_text('{"digest": "", "folds": 2, "complete": true}')
    (tmp_path / "report").mkdir()
    run = read_settings(tmp_path)
    assert run.task.thresholds == pytest.approx([0.4] * 5)
    assert "data.val.fold" not in run.settings and run.settings["data.val.of"] == "2"
    with pytest.raises(MissingInput, match=f"write them: ftaug evaluate {tmp_path} --split val$"):
        compared_runs.choose_split([run], "val")
    written = tmp_path / "fold-1" / "report" / "test.samples.csv"
    written.rename(tmp_path / "report" / "out-of-fold.samples.csv")
    assert compared_runs.choose_split([run], None) == "val"
    read = compared_runs.read_records(run, "val").records
    expected = np.sort(records.predictions.astype(np.float32), axis=0)
    np.testing.assert_array_equal(np.sort(read.predictions, axis=0), expected)


@pytest.mark.parametrize(("checkpoint", "is_stale"), [("step-0000004", False), ("step-0000002", True)])
def test_records_of_an_earlier_checkpoint_are_said(tmp_path, checkpoint, is_stale):
    run = read_settings(write_run(tmp_path / "a", RECORDS))
    assert compared_runs.stale_records(run, "test") == ""
    (tmp_path / "a" / "checkpoints" / "step-0000004").mkdir(parents=True)
    (tmp_path / "a" / "best").symlink_to("checkpoints/step-0000004")
    (tmp_path / "a" / "report" / "evaluate-test.json").write_text(json.dumps({**RESULTS, "checkpoint": checkpoint}))
    text = compared_runs.stale_records(run, "test")
    assert bool(text) is is_stale
    if is_stale:
        assert "of step-0000002, and its best checkpoint is now step-0000004; write them anew: ftaug" in text


def test_no_records_at_all(tmp_path):
    write_run(tmp_path / "a", RECORDS, split="train")
    with pytest.raises(MissingInput, match=f"has no records; write them: ftaug evaluate {tmp_path / 'a'}$"):
        compared_runs.choose_split([read_settings(tmp_path / "a")], None)


def test_classes_in_another_order_are_other_classes(tmp_path):
    runs = [read_settings(write_run(tmp_path / name, RECORDS)) for name in "ab"]
    task = replace(runs[1].task, classes=runs[1].task.classes[::-1])
    with pytest.raises(BadData, match=r"predicts other classes than .*: they are in another order"):
        compared_runs.check_tasks([runs[0], replace(runs[1], task=task)])


def calibrate(folder):
    """Store a calibration of the best checkpoint; returns what reports say of it."""
    (folder / "checkpoints" / "step-0000004").mkdir(parents=True)
    (folder / "checkpoints" / "step-0000004" / "manifest.json").write_text("{}")
    (folder / "best").symlink_to("checkpoints/step-0000004")
    digest = calibration_file.manifest_hash(folder / "best")
    calibration = Calibration("step-0000004", digest, Scaling((0.4,), (0.0,)), 50, np.array([0.1]), None)
    calibration_file.write(folder, calibration)
    return calibration.facts


def test_records_of_another_calibration_are_said(tmp_path):
    runs = [read_settings(write_run(tmp_path / name, RECORDS)) for name in "ab"]
    facts = calibrate(tmp_path / "a")
    report = tmp_path / "a" / "report" / "evaluate-test.json"
    report.write_text(json.dumps(RESULTS))
    assert "its records are not of its present calibration; write them anew: ftaug evaluate" in (
        compared_runs.stale_records(runs[0], "test")
    )
    assert compared_runs.uneven_calibration(runs, "test") == ""
    report.write_text(json.dumps({**RESULTS, "calibration": facts}))
    assert compared_runs.stale_records(runs[0], "test") == ""
    text = compared_runs.uneven_calibration(runs, "test")
    assert "/a is calibrated and " in text and text.endswith(f"ftaug calibrate {tmp_path / 'b'}")


def test_calibrated_labels_are_decided_by_the_thresholds_of_their_report(tmp_path):
    records = multi_label()
    run = read_settings(write_run(tmp_path / "a", records))
    thresholds = dict.fromkeys(records.task.classes, 0.8)
    (tmp_path / "a" / "report" / "evaluate-test.json").write_text(json.dumps({**RESULTS, "thresholds": thresholds}))
    decided = compared_runs.read_records(run, "test").records.decided
    assert decided.sum() == (np.float32(records.predictions) > 0.8).sum() != records.decided.sum()
