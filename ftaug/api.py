"""The Python API: `ftaug.load`, `ftaug.train` and `ftaug.open_run`. Importing it does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ftaug.config.experiment import Experiment
    from ftaug.runs.trained_model import TrainedModel


def load(path: str | Path, overrides: Sequence[str] = (), *, trust_plugins: bool = False) -> Experiment:
    """Read and validate an experiment file, with overrides such as `train.epochs=2`.

    Raises ExperimentError with all problems at once, or MissingInput.
    """
    from ftaug.experiment_file import load

    return load(path, overrides, trust_plugins=trust_plugins)


def train(
    path: str | Path,
    overrides: Sequence[str] = (),
    *,
    run_dir: str | Path | None = None,
    fresh: bool = False,
    from_: str | Path | None = None,
    folds: int | None = None,
    device: str = "auto",
    trust_plugins: bool = False,
    report: bool = True,
) -> Path:
    """Train an experiment file, or resume its run, as `ftaug train` does; return the run folder.

    Raises an exception of `ftaug.errors` where the command ends with an exit code other than 0.
    """
    from ftaug.runs.train_file import train_file

    result = train_file(
        Path(path),
        overrides,
        run_dir=None if run_dir is None else Path(run_dir),
        fresh=fresh,
        from_=None if from_ is None else Path(from_),
        folds=folds,
        device=device,
        trust_plugins=trust_plugins,
        report=report,
    )
    return Path(result["run"])


def open_run(folder: str | Path, *, device: str = "auto", trust_plugins: bool = False) -> TrainedModel:
    """Load the model of a run folder with its best checkpoint; of a cross-validation, the ensemble of its folds.

    Its probabilities are calibrated if `ftaug calibrate` has calibrated the checkpoint. Raises MissingInput, BadData.
    """
    from ftaug.runs.open_run import open_calibrated_run

    return open_calibrated_run(folder, device, trust_plugins=trust_plugins)
