"""Print and write the report of `ftaug calibrate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ftaug.engine.system.storage import make_inside, replace
from ftaug.runs.calibrate import CalibrationReport
from ftaug.runs.report import calibration_plot, console
from ftaug.statistics.intervals import Estimate

VERDICTS = ("nll", "ece_debiased")


def as_json(report: CalibrationReport, run: Path) -> dict[str, Any]:
    """Convert a report to JSON values."""
    calibration, sets = report.calibration, report.calibration.set_scores
    metrics = {
        name: {
            "before": report.before[name].as_dict(),
            "after": report.after[name].as_dict(),
            "difference": {"value": d.value, "low": d.low, "high": d.high, "p": d.p},
        }
        for name, d in report.differences.items()
    }
    before, after = report.curves
    content = {
        "run": str(run),
        "checkpoint": calibration.checkpoint,
        "calibration": calibration.facts,
        "held_out": report.held_out,
        "metrics": metrics,
        "reliability": {
            name: [each._asdict() for each in diagram]
            for name, diagram in zip(("before", "after"), report.diagrams, strict=True)
        },
        "aurc": {"before": before.area, "after": after.area},
        "selective": [row._asdict() for row in report.selective],
        "notes": report.notes,
    }
    if sets is not None:
        rows = [{**row._asdict(), "band": list(row.band)} for row in report.sets]
        content["sets"] = {"score": sets.score, "by_class": len(sets.values) > 1, "coverages": rows}
    return content


def write(report: CalibrationReport, run: Path) -> Iterator[Path]:
    """Write the report and its plot into the run folder; yield their paths."""
    folder = run / "report"
    make_inside(folder)
    summary = folder / "calibration.json"
    replace(summary, (console.to_json(as_json(report, run)) + "\n").encode())
    yield summary
    yield calibration_plot.draw(report, folder / "calibration.png")


def show(report: CalibrationReport, run: Path, files: list[Path]) -> None:
    """Print the human-readable report."""
    calibration, (before, after) = report.calibration, report.curves
    blocks: list[Any] = [
        f"{calibration.checkpoint} of {run}: {calibration}",
        f"measured on the other {report.held_out:,} validation samples:",
        metric_table(report),
        *verdicts(report),
        f"\nthe most confident predictions (AURC {before.area:.4f} before, {after.area:.4f} after)",
        selective_table(report),
    ]
    if calibration.set_scores is not None:
        kind = calibration.set_scores.score.upper()
        each = " of each class" if len(calibration.set_scores.values) > 1 else ""
        blocks += [f"prediction sets ({kind}{each}, from uncalibrated probabilities)", set_table(report)]
    notes = (f"note: {note}" for note in report.notes)
    console.show(*blocks, *notes, *(f"wrote {path}" for path in files))


def metric_table(report: CalibrationReport) -> Any:
    """Build the table of metrics before and after calibration."""
    rows = [
        (name, before.value, _interval(before), report.after[name].value, _interval(report.after[name]), before.few)
        for name, before in report.before.items()
    ]
    return console.table(("metric", "before", "95 % interval", "after", "95 % interval", "note"), rows)


def verdicts(report: CalibrationReport) -> list[str]:
    """Say how NLL and ECE change on the same samples."""
    texts = []
    for name in VERDICTS:
        d = report.differences[name]
        if d.low < d.high:
            sure = "" if d.better() else ": no change is shown"
            texts.append(f"{name} changes by {d.value:+.4f} (95 % interval {d.low:+.4f} to {d.high:+.4f}){sure}")
    return texts


def selective_table(report: CalibrationReport) -> Any:
    """Build the table of errors among the most confident predictions."""
    rows = [
        (
            f"{row.coverage:g}",
            row.threshold,
            row.answered,
            row.errors,
            row.errors / row.answered,
            _ends(row.low, row.high),
        )
        for row in report.selective
    ]
    return console.table(("coverage", "least confidence", "answered", "errors", "risk", "95 % interval"), rows)


def set_table(report: CalibrationReport) -> Any:
    """Build the table of prediction sets."""
    rows = [
        (
            f"{row.coverage:g}",
            _ends(*row.band),
            row.measured,
            _ends(row.low, row.high),
            f"{row.mean_size:.2f}",
            f"{row.empty:.1%}",
        )
        for row in report.sets
    ]
    return console.table(("coverage", "95 % band", "measured", "95 % interval", "mean size", "empty"), rows)


def _interval(estimate: Estimate) -> str:
    return _ends(estimate.low, estimate.high) if estimate.low < estimate.high else "–"


def _ends(low: float, high: float) -> str:
    return f"{low:.3f} to {high:.3f}"
