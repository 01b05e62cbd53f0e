"""Predictions of a cross-validation: of the training samples out of fold, and of the test split."""

from pathlib import Path

import numpy as np

from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.evaluate import probabilities
from ftaug.errors import BadData
from ftaug.runs import compared_runs, sample_records
from ftaug.runs.doctor.scan import Scan
from ftaug.runs.open_run import open_run
from ftaug.runs.report import console

EVALUATED = {"train": "val", "test": "test"}
"""Names for `ftaug evaluate` of the splits to predict: it calls the training samples, predicted out of fold, val."""


def fold_predictions(folder: Path, scan: Scan, device: str, *, trust_plugins: bool) -> dict[str, np.ndarray]:
    """Return the probabilities of the samples of each split, float32 (n, classes)."""
    splits = {purpose: scan.readable(purpose) for purpose in scan.splits}
    run = compared_runs.read_settings(folder)
    if all(run.has_records(EVALUATED[purpose]) for purpose in splits):
        try:
            return {purpose: _recorded(run, EVALUATED[purpose], split) for purpose, split in splits.items()}
        except BadData as error:
            console.say(f"{error}; predicting anew")
    opened = open_run(folder, device, trust_plugins=trust_plugins)
    opened.note_precision()
    result = {}
    for purpose, split in splits.items():
        predicted = opened.splits[EVALUATED[purpose]]
        values = probabilities(opened.logits(predicted), opened.activation)
        result[purpose] = values[np.searchsorted(predicted.ids, split.ids)]
    return result


def _recorded(run: compared_runs.RunSettings, name: str, split: DataSplit) -> np.ndarray:
    """Read the predictions of a split from the records of `ftaug evaluate`; raises BadData if a sample has none."""
    records = compared_runs.read_records(run, name)
    ids = np.array(sample_records.ids_of(split))
    places = np.searchsorted(records.ids, ids).clip(max=len(records.ids) - 1)
    if (records.ids[places] != ids).any():
        raise BadData(f"{records.path}: holds other samples than the data of {run.folder}")
    return np.asarray(records.records.predictions[places])
