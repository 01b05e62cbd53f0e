"""The calibration in a run folder: what is written is read, of one checkpoint, and decides as before."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ftaug.errors import BadData
from ftaug.interfaces.data import Task
from ftaug.runs import calibration_file
from ftaug.runs.calibration_file import Calibration
from ftaug.statistics.calibration import Scaling
from ftaug.statistics.conformal import TargetScores

TASK = Task(("a", "b", "c"))
TEMPERATURE = Calibration("step-0000010", "", Scaling((0.4,), (0.0,)), 50, np.array([0.1, 1 / 3, 0.9]), None)
SCORES = TargetScores("lac", (np.array([0.0, 1 / 7]),))
VECTOR = replace(TEMPERATURE, scaling=Scaling((0.1, 2.0, 3.0), (0.0, -1.0, 1e-9)), set_scores=SCORES)


@pytest.mark.parametrize("calibration", [TEMPERATURE, VECTOR])
def test_what_is_written_is_read(tmp_path, calibration):
    path = calibration_file.write(tmp_path, calibration)
    assert path == tmp_path / "calibration.json" and [*tmp_path.iterdir()] == [path]
    result = calibration_file.read(tmp_path, TASK)
    assert (result.scaling, result.samples, str(result)) == (calibration.scaling, 50, str(calibration))
    assert (result.confidences == calibration.confidences).all()
    if calibration.set_scores is None:
        assert result.set_scores is None
    else:
        assert result.set_scores.sets(0.3) == SCORES.sets(0.3)


def test_a_run_without_one(tmp_path):
    assert calibration_file.read(tmp_path, TASK) is None


def test_it_is_of_one_checkpoint(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(name)
    calibration = replace(TEMPERATURE, manifest=calibration_file.manifest_hash(tmp_path / "first"))
    assert calibration.fits(tmp_path / "first") and not calibration.fits(tmp_path / "second")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scale", [1, 2]),
        ("scale", ["x"]),
        ("scale", [None]),
        ("scale", None),
        ("confidences", [[]]),
        ("sets", {"score": "x", "scores": [[1]]}),
        ("sets", {"score": "lac", "scores": [[1], [2]]}),
        ("sets", {}),
    ],
)
def test_damage_is_said_in_one_line(tmp_path, key, value):
    path = calibration_file.write(tmp_path, VECTOR)
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(BadData, match=r"calibration.json: is damaged; delete it, or write it anew: ftaug calibrate"):
        calibration_file.read(tmp_path, TASK)


def test_thresholds_decide_on_calibrated_probabilities_as_before():
    task = Task(("a", "b", "c"), multi_label=True, thresholds=(0.3, 0.5, 0.999))
    logits = np.random.default_rng(0).normal(size=(500, 3)) * 5
    calibrated = VECTOR.calibrated_task(task).present(VECTOR.probabilities(logits, "sigmoid"))
    assert (calibrated == task.present(1 / (1 + np.exp(-logits)))).all()
    assert VECTOR.calibrated_task(Task(("a",), multi_label=True)).thresholds is None


def test_probabilities_keep_the_type_of_the_logits():
    logits = np.array([[1.0, 2.0, 3.0]], np.float32)
    probabilities = TEMPERATURE.probabilities(logits, "softmax")
    expected = np.exp(0.4 * logits) / np.exp(0.4 * logits).sum()
    assert probabilities.dtype == np.float32 and probabilities == pytest.approx(expected)
