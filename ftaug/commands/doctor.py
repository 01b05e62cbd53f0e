"""`ftaug doctor`: check the data before training: unreadable samples, duplicates, classes and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Overrides


def doctor(
    target: Annotated[
        Path, typer.Argument(help="An experiment file, or a folder of `ftaug train --folds`.", metavar="CONFIG|FOLDS")
    ],
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Check the data: unreadable samples, duplicates, label errors, classes."""
    from ftaug.engine.loading.split import load_splits
    from ftaug.experiment_file import load
    from ftaug.runs.doctor.examine import examine
    from ftaug.runs.report import console
    from ftaug.runs.report import doctor as report

    experiment = load(target, overrides or ())
    diagnosis = examine(experiment, load_splits(experiment.data, experiment.seed))
    if as_json:
        print(console.to_json(report.as_json(diagnosis)))
    else:
        report.show(diagnosis)
    diagnosis.check()
