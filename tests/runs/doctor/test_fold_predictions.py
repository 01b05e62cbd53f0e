"""Predictions of folds are computed, or read from the records of `ftaug evaluate`."""

import json

import numpy as np

from ftaug.cli import run
from ftaug.runs.doctor.examine import examine
from ftaug.runs.doctor.fold_predictions import fold_predictions
from ftaug.runs.doctor.open_data import open_data
from ftaug.runs.doctor.scan import scan


def test_predictions_come_from_the_records_if_there_are_any(folds, monkeypatch):
    data = open_data(folds, (), trust_plugins=False)
    scanned = scan(data.experiment, data.splits)
    computed = fold_predictions(folds, scanned, "cpu", trust_plugins=False)
    targets = scanned.targets(scanned.rows("train"))
    assert (computed["train"].argmax(axis=1) == targets).mean() > 0.25
    assert run(["evaluate", str(folds), "--split", "val"]) == 0
    monkeypatch.setattr("ftaug.runs.doctor.fold_predictions.open_run", None)
    recorded = fold_predictions(folds, scanned, "cpu", trust_plugins=False)
    for purpose, values in computed.items():
        assert np.allclose(values, recorded[purpose], atol=1e-6)
    diagnosis = examine(data, labels=False)
    assert diagnosis.suspects is not None
    assert diagnosis.similar is None
    assert json.dumps([finding.as_json() for finding in diagnosis.findings])


def test_labels_of_folds_add_similar_features_and_predictions_stay(folds, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = open_data(folds, (), trust_plugins=False)
    with_features, without = (examine(data, labels=labels) for labels in (True, False))
    assert with_features.similar is not None
    assert np.array_equal(with_features.suspects.rows, without.suspects.rows)
