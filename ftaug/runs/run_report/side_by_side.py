"""The report of several runs: side by side, with the verdict of `ftaug compare`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

import ftaug
from ftaug.errors import ExperimentError
from ftaug.interfaces.document import (
    Alert,
    Block,
    Code,
    DataTable,
    Gallery,
    LineChart,
    Paragraph,
    Report,
    Section,
    Series,
)
from ftaug.runs import compared_runs, run_comparison
from ftaug.runs.report import comparison
from ftaug.runs.run_comparison import MetricDifference, RunComparison, Side, differing_settings
from ftaug.runs.run_report.alerts import alerts_of
from ftaug.runs.run_report.collect import facts as run_facts
from ftaug.runs.run_report.formats import estimate, number, samples
from ftaug.runs.run_report.headline import headline
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.runs.run_report.reproduction import reproduction
from ftaug.runs.run_report.verdict import verdict

METRICS = ("accuracy", "balanced_accuracy", "f1_macro", "auroc_macro", "nll", "ece_debiased", "rmse", "mae", "r2")
"""Metrics of the table of results, beside the main one, of those that the task has."""


def compare_reported(runs: Sequence[ReportedRun]) -> Report:
    """Compute the report of several runs; raises BadData for runs of different tasks or samples."""
    settings = [run.settings for run in runs]
    compared_runs.check_tasks(settings)
    split = _common_split(runs)
    names = labels(runs)
    compared = _comparison(runs, split)
    text, sections = _differences(compared, runs, split) if isinstance(compared, RunComparison) else (compared, [])
    everything = [
        _results(runs, names),
        *sections,
        *_courses(runs, names),
        *_classes(runs, names),
        _reproductions(runs, names),
    ]
    alerts = [
        Alert(alert.key, f"{name}: {alert.message}", alert.advice)
        for run, name in zip(runs, names, strict=True)
        for alert in alerts_of(run, ())
    ]
    return Report(
        f"{len(runs)} runs side by side",
        text,
        alerts,
        everything,
        subtitle=f"{samples(len(runs[0].records), split)}; first: {runs[0].folder}",
        footer=f"ftaug {ftaug.__version__}",
        facts={"runs": [run_facts(run) for run in runs]},
    )


def labels(runs: Sequence[ReportedRun]) -> list[str]:
    """Return a short name of each run: the last part of its folder, or the whole folder where these are equal."""
    names = [run.folder.name or str(run.folder) for run in runs]
    return names if len(set(names)) == len(names) else [str(run.folder) for run in runs]


def _common_split(runs: Sequence[ReportedRun]) -> str:
    splits = {run.split for run in runs}
    if len(splits) > 1:
        raise ExperimentError(f"the runs have different splits ({' and '.join(sorted(splits))}); choose one by --split")
    return runs[0].split


def _comparison(runs: Sequence[ReportedRun], split: str) -> RunComparison | str:
    """Compare the runs as `ftaug compare` does; return why they cannot be, if they differ by their seed alone."""
    settings = [run.settings for run in runs]
    try:
        groups = run_comparison.group_by_settings(settings)
    except ExperimentError:
        return f"The {len(runs)} runs differ by their seed alone, so there is nothing to compare"
    metrics, _ = run_comparison.choose_metrics((), settings)
    return run_comparison.compare_sides(run_comparison.open_sides(groups, split), metrics)


def _differences(compared: RunComparison, runs: Sequence[ReportedRun], split: str) -> tuple[str, list[Section]]:
    """Return the verdict, and a section with the differences and the settings that differ."""
    blocks: list[Block] = []
    verdicts = []
    for side in compared.others:
        rows = compared.of(side)
        verdicts.append(_verdict(compared.first, side, rows))
        cells = [
            (
                row.metric,
                number(row.difference.first, 4),
                number(row.difference.second, 4),
                f"{row.difference.value:+.4f}",
                comparison.interval(row),
                comparison.p_value(row.difference.adjusted_p),
            )
            for row in rows
        ]
        headings = ("metric", "first", "second", "difference", "95 % interval", "p (Holm)")
        blocks.append(DataTable(headings, cells, f"first: {compared.first.name}; second: {side.name}"))
        blocks += _settings(compared.first, side)
    settings = [run.settings for run in runs]
    notes = [*compared.notes, *filter(None, [compared_runs.uneven_calibration(settings, split)])]
    blocks += [Paragraph(f"Note: {note}.") for note in notes]
    return ". ".join(verdicts), [Section("differences", "Differences", blocks, run_comparison.as_json(compared, split))]


def _verdict(first: Side, second: Side, rows: Sequence[MetricDifference]) -> str:
    text = comparison.verdict(first, second, rows).replace("\n", "; ")
    if any(row.difference.better() for row in rows):
        return text
    metrics = " and ".join(row.metric for row in rows)
    return f"No difference between {first.name} and {second.name} in {metrics} is shown"


def _settings(first: Side, second: Side) -> Iterator[Block]:
    differing = differing_settings(first, second)
    if differing:
        rows = [(key, before, after) for key, (before, after) in differing.items()]
        yield DataTable(("setting", "first", "second"), rows, "different settings")
    else:
        yield Paragraph("No setting differs.")


def _results(runs: Sequence[ReportedRun], names: Sequence[str]) -> Section:
    """Tabulate the metrics of each run with their intervals."""
    main = headline(runs[0].settings, runs[0].results["intervals"]).name
    shown = [name for name in dict.fromkeys((main, *METRICS)) if all(name in run.results["intervals"] for run in runs)]
    rows = [
        (name, f"{len(run.records):,}", *(estimate(run.results["intervals"][metric]) for metric in shown))
        for run, name in zip(runs, names, strict=True)
    ]
    facts = {name: verdict(run) for run, name in zip(runs, names, strict=True)}
    return Section("results", "Results", [DataTable(("run", "samples", *shown), rows, "with 95 % intervals")], facts)


def _courses(runs: Sequence[ReportedRun], names: Sequence[str]) -> Iterator[Section]:
    """Chart training and validation loss of all runs."""
    charts = []
    for title, values in (("validation loss", _validation_losses), ("training loss", _training_losses)):
        series = [Series(name, *values(run)) for run, name in zip(runs, names, strict=True)]
        if any(each.x for each in series):
            alt = f"{title.capitalize()} of each run over the epochs"
            charts.append(LineChart(series, "epoch", "loss", alt, title, y_range=(0, None)))
    if charts:
        yield Section("training", "Training", [Gallery(charts)])


def _validation_losses(run: ReportedRun) -> tuple[list[float], list[float]]:
    rows = [row for row in run.rows if "val" in row]
    return [row["epoch"] for row in rows], [row["val"]["loss"] for row in rows]


def _training_losses(run: ReportedRun) -> tuple[list[float], list[float]]:
    rows = [row for row in run.rows if "loss" in row]
    return [row["epoch"] for row in rows], [row["loss"] for row in rows]


def _classes(runs: Sequence[ReportedRun], names: Sequence[str]) -> Iterator[Section]:
    """Tabulate F1 of each class and run, the largest difference first."""
    if runs[0].task.regression:
        return
    by_run: list[Mapping[str, float]] = [{row["class"]: row["f1"] for row in run.results["classes"]} for run in runs]
    values = {name: [each[name] for each in by_run] for name in runs[0].task.classes}
    order = sorted(values, key=lambda name: (min(values[name]) - max(values[name]), name))
    rows = [(name, *(number(value) for value in values[name])) for name in order]
    table = DataTable(("class", *names), rows, "F1 of each class, the largest difference first")
    yield Section("classes", "Per class", [table], {"f1": values})


def _reproductions(runs: Sequence[ReportedRun], names: Sequence[str]) -> Section:
    """Show the command of each run."""
    facts = {name: dict(reproduction(run).facts) for run, name in zip(runs, names, strict=True)}
    commands = "\n".join(str(each["command"]) for each in facts.values() if each["command"])
    command = f"ftaug report {shlex.join(str(run.folder) for run in runs)}"
    return Section("reproduce", "How to reproduce", [Code("\n".join(filter(None, [commands, command])))], facts)
