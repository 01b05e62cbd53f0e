"""`ftaug report`: write a report of a run, or of several side by side, into one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ftaug.commands.options import AsJson, Split, TrustPlugins
from ftaug.errors import ExperimentError


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; several are compared.", metavar="RUN...")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The file to write, .html, .md or .json; default RUN/report/report.html, of several report.html.",
            metavar="FILE",
        ),
    ] = None,
    split: Annotated[Split | None, typer.Option(help="What to report on; test if there is one, else val.")] = None,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Write a report of a run, or of several side by side, into one file."""
    from ftaug.runs.run_report import write

    if output is None and not as_json:
        output = runs[0] / "report" / "report.html" if len(runs) == 1 else Path("report.html")
    if output is not None:
        write.check_suffix(output)
    if len({run.resolve() for run in runs}) < len(runs):
        raise ExperimentError("the same run is named twice")

    from ftaug.documents.json_values import json_values
    from ftaug.runs import compared_runs
    from ftaug.runs.report import console
    from ftaug.runs.run_report.collect import SECTIONS, report_of
    from ftaug.runs.run_report.open_reported import open_reported
    from ftaug.runs.run_report.side_by_side import compare_reported

    settings = [compared_runs.read_settings(run) for run in runs]
    compared_runs.check_tasks(settings)
    if output is not None:
        write.check_writable(output)
    opened = [open_reported(run, split.value if split else None, trust_plugins=trust_plugins) for run in runs]
    content = report_of(opened[0], SECTIONS) if len(opened) == 1 else compare_reported(opened)
    if output is not None:
        write.write(content, output)
    print(console.to_json(json_values(content)) if as_json else output)
