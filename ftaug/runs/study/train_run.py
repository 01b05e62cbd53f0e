"""Train a run of a study as `ftaug train` does, from the experiment file of the study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ftaug.config.yaml_document import STANDARD_INPUT, read
from ftaug.errors import ExperimentError, Problem
from ftaug.experiment_file import ExperimentFile
from ftaug.runs.report import console
from ftaug.runs.study.study_run import StudyRun
from ftaug.runs.train_file import train_file


def trainer(config: Path, device: str, *, trust_plugins: bool) -> Callable[[StudyRun], None]:
    """Return the function that trains or continues a run, without output, report and plots."""

    def train(run: StudyRun) -> None:
        with console.quiet():
            train_file(
                config,
                run.spec.overrides,
                run_dir=run.path,
                fresh=False,
                from_=None,
                folds=None,
                device=device,
                trust_plugins=trust_plugins,
                report=False,
                plots=False,
            )

    return train


def require_same_file(file: ExperimentFile) -> None:
    """Raise ExperimentError if the experiment file was edited: further runs would not be those of this study."""
    if str(file.path) != STANDARD_INPUT and file.path.is_file() and read(file.path) != file.text:
        text = "has changed since the study started; undo that, or name another folder by --output"
        raise ExperimentError(Problem(f"{file.path}: {text}"))
