"""Load the model of a run folder, or the ensemble of a cross-validation."""

from pathlib import Path

from ftaug.runs.cross_validation import FOLDS_FILE, open_folds
from ftaug.runs.trained_model import TrainedModel, open_single_run


def open_run(folder: Path | str, device: str = "auto", *, trust_plugins: bool = False) -> TrainedModel:
    """Load a run folder with its best checkpoint, else its newest; raises MissingInput, BadData."""
    folder = Path(folder)
    if (folder / FOLDS_FILE).is_file():
        return open_folds(folder, device, trust_plugins=trust_plugins)
    return open_single_run(folder, device, trust_plugins=trust_plugins)
