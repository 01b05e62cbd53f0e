"""Open the data to examine: those of an experiment file, of a run, or of a cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.split import DataSplit, load_splits
from ftaug.errors import ExperimentError, MissingInput
from ftaug.experiment_file import load


@dataclass(frozen=True)
class DataToExamine:
    """An experiment with its data splits, and the folder of its folds if it was cross-validated."""

    experiment: Experiment
    splits: Mapping[str, DataSplit]
    folds: Path | None = None


def open_data(target: Path, overrides: Sequence[str], *, trust_plugins: bool) -> DataToExamine:
    """Open the data of an experiment file or a folder; raises ExperimentError, MissingInput, BadData."""
    if not target.is_dir():
        experiment = load(target, overrides, trust_plugins=trust_plugins)
        return DataToExamine(experiment, load_splits(experiment.data, experiment.seed))
    if overrides:
        raise ExperimentError(f"{overrides[0]}: {target} is a trained run, whose settings are fixed; leave it out")
    from ftaug.engine.system.run_files import FOLDS_FILE, fold_folder
    from ftaug.runs.trained_model import load_experiment, recorded_data

    is_folds = (target / FOLDS_FILE).is_file()
    run = fold_folder(target, 1) if is_folds else target
    if is_folds and not run.is_dir():
        raise MissingInput(
            f"{target}: not all of its folds are trained; run the same `ftaug train --folds` command again"
        )
    experiment = load_experiment(run, trust_plugins=trust_plugins)
    splits = dict(recorded_data(run, experiment))
    if not is_folds:
        return DataToExamine(experiment, splits)
    splits["train"] = _united(splits["train"], splits.pop("val"))
    return DataToExamine(experiment, splits, target)


def _united(train: DataSplit, val: DataSplit) -> DataSplit:
    """Return the samples of two splits of the same dataset as the training split, in the order of their ids."""
    ids = np.concatenate([train.ids, val.ids])
    order = np.argsort(ids)
    targets = np.concatenate([train.targets, val.targets])[order]
    return replace(train, ids=ids[order], targets=targets, left_out=(*train.left_out, *val.left_out))
