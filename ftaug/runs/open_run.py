"""Load the model of a run folder, or the ensemble of a cross-validation."""

from pathlib import Path

from ftaug.config.experiment import Experiment
from ftaug.runs.cross_validation import FOLDS_FILE, folder_of, open_folds
from ftaug.runs.trained_model import TrainedModel, load_experiment, open_single_run


def open_run(folder: Path | str, device: str = "auto", *, trust_plugins: bool = False) -> TrainedModel:
    """Load a run folder with its best checkpoint, else its newest; raises MissingInput, BadData."""
    folder = Path(folder)
    if (folder / FOLDS_FILE).is_file():
        return open_folds(folder, device, trust_plugins=trust_plugins)
    return open_single_run(folder, device, trust_plugins=trust_plugins)


def load_run_experiment(folder: Path, *, trust_plugins: bool = False) -> Experiment:
    """Load the experiment of a run folder, or of its first fold, and no weights; raises MissingInput."""
    single = folder_of(folder, 1) if (folder / FOLDS_FILE).is_file() else folder
    return load_experiment(single, trust_plugins=trust_plugins)
