"""`ftaug compare`: compare trained runs on the same samples, from the records that `ftaug evaluate` writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ftaug.commands.options import AsJson, Split
from ftaug.errors import ExperimentError, NotReached

if TYPE_CHECKING:
    from ftaug.runs.run_comparison import RunComparison


def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Run folders; the first is the one to improve on.", metavar="RUN...")
    ],
    split: Annotated[Split | None, typer.Option(help="What to compare on; test if evaluated, else val.")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Such as f1_macro; repeat for several; default evaluate.best and accuracy.", metavar="NAME"),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Draw the differences into this PNG file.", metavar="FILE"),
    ] = None,
    as_json: AsJson = False,
    require_better: Annotated[
        bool,
        typer.Option(
            "--require-better", help="End with exit code 5 unless every other run beats the first in the first metric."
        ),
    ] = False,
) -> None:
    """Compare runs on the same samples: differences with intervals and tests."""
    if len({run.resolve() for run in runs}) < max(2, len(runs)):
        raise ExperimentError("a comparison needs two or more different runs")
    if output is not None and output.suffix.lower() != ".png":
        raise ExperimentError(f"{output}: must end in .png")

    from ftaug.engine.system.storage import storage_errors
    from ftaug.runs import compared_runs, run_comparison
    from ftaug.runs.report import comparison as report
    from ftaug.runs.report import console

    settings = [compared_runs.read_settings(run) for run in runs]
    compared_runs.check_tasks(settings)
    metrics, notes = run_comparison.choose_metrics(metric or (), settings)
    groups = run_comparison.group_by_settings(settings)
    chosen = compared_runs.choose_split(settings, split.value if split else None)
    stale = (compared_runs.stale_records(run, chosen) for run in settings)
    for text in [*notes, *filter(None, [*stale, compared_runs.uneven_calibration(settings, chosen)])]:
        console.say(text)
    comparison = run_comparison.compare_sides(run_comparison.open_sides(groups, chosen), metrics)
    if output is not None:
        with storage_errors(f"cannot write {output}"):
            report.plot(comparison, output)
    if as_json:
        picture = {"picture": str(output)} if output is not None else {}
        print(console.to_json(run_comparison.as_json(comparison, chosen) | picture))
    else:
        report.show(comparison, chosen)
        if output is not None:
            print(f"differences: {output}")
    if require_better:
        _check_better(comparison, next(iter(metrics)))


def _check_better(comparison: RunComparison, metric: str) -> None:
    """Raise NotReached for each run that is not better than the first in a metric."""
    failed = [
        f"required {row.side.name} better than {comparison.first.name} in {metric}: the difference is "
        f"{row.difference.value:+.4f}, p {row.difference.adjusted_p:.3g}"
        for row in comparison.differences
        if row.metric == metric and row.difference.better() != "second"
    ]
    if failed:
        raise NotReached(*failed)
