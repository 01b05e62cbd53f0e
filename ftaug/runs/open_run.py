"""Load the model of a run folder, or the ensemble of a cross-validation."""

from dataclasses import replace
from pathlib import Path

from ftaug.config.experiment import Experiment
from ftaug.engine.system.run_files import FOLDS_FILE, fold_folder
from ftaug.runs import calibration_file
from ftaug.runs.cross_validation import open_folds
from ftaug.runs.report import console
from ftaug.runs.trained_model import TrainedModel, load_experiment, open_single_run


def open_run(folder: Path | str, device: str = "auto", *, trust_plugins: bool = False) -> TrainedModel:
    """Load a run folder with its best checkpoint, else its newest; raises MissingInput, BadData."""
    folder = Path(folder)
    if (folder / FOLDS_FILE).is_file():
        return open_folds(folder, device, trust_plugins=trust_plugins)
    return open_single_run(folder, device, trust_plugins=trust_plugins)


def open_calibrated_run(folder: Path | str, device: str = "auto", *, trust_plugins: bool = False) -> TrainedModel:
    """Load a run folder as `open_run` does, with the calibration of its probabilities if it has one.

    That of another checkpoint is not applied, which a note on stderr says.
    """
    opened = open_run(folder, device, trust_plugins=trust_plugins)
    calibration = calibration_file.read(opened.folder, opened.task)
    if calibration is None:
        return opened
    if not calibration.fits(opened.checkpoint):
        console.say(
            f"{opened.folder}: {calibration_file.CALIBRATION_FILE} is of another checkpoint ({calibration.checkpoint}) "
            f"and is not used; calibrate {opened.checkpoint.name}: ftaug calibrate {opened.folder}"
        )
        return opened
    return replace(opened, calibration=calibration, task=calibration.calibrated_task(opened.task))


def load_run_experiment(folder: Path, *, trust_plugins: bool = False) -> Experiment:
    """Load the experiment of a run folder, or of its first fold, and no weights; raises MissingInput."""
    single = fold_folder(folder, 1) if (folder / FOLDS_FILE).is_file() else folder
    return load_experiment(single, trust_plugins=trust_plugins)
