"""`ftaug calibrate`: calibrate the probabilities of a trained model on validation."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Run, TrustPlugins


class Method(StrEnum):
    """How logits are calibrated."""

    auto = "auto"
    temperature = "temperature"
    vector = "vector"


class SetScore(StrEnum):
    """How a class is scored for prediction sets."""

    lac = "lac"
    aps = "aps"


def calibrate(
    run: Run,
    method: Annotated[
        Method, typer.Option(help="auto: vector scaling with 100 samples of every class, else a temperature.")
    ] = Method.auto,
    score: Annotated[
        SetScore, typer.Option(help="Prediction sets: lac, the smallest, or aps, larger for hard samples.")
    ] = SetScore.lac,
    by_class: Annotated[
        bool, typer.Option("--by-class", help="Prediction sets: the same coverage for every class, not on average.")
    ] = False,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Calibrate the probabilities of a trained model on validation, and report the effect."""
    from ftaug.engine.system.storage import storage_errors
    from ftaug.runs import calibration_file
    from ftaug.runs.calibrate import calibrate as calibrate_run
    from ftaug.runs.open_run import open_run
    from ftaug.runs.report import calibration as calibration_report
    from ftaug.runs.report import console

    opened = open_run(run, trust_plugins=trust_plugins)
    opened.note_precision()
    report = calibrate_run(opened, method=method.value, score=score.value, by_class=by_class)
    with storage_errors(f"{run}: the report cannot be written"):
        files = [*calibration_report.write(report, run), calibration_file.write(run, report.calibration)]
    if as_json:
        print(console.to_json({**calibration_report.as_json(report, run), "files": [str(path) for path in files]}))
    else:
        calibration_report.show(report, run, files)
