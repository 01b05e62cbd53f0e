"""How far the confidence of predictions can be relied on: reliability diagram and risk–coverage curve."""

from __future__ import annotations

import numpy as np

from ftaug.interfaces.document import Block, Chart, DataTable, Gallery, LineChart, Paragraph, Section, Series
from ftaug.runs.run_report.formats import estimate
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.statistics.calibration import ReliabilityBin, reliability
from ftaug.statistics.intervals import wilson
from ftaug.statistics.selective import RiskCoverage, prediction_confidence, risk_coverage

COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)
POINTS = 150


def reliability_section(run: ReportedRun) -> Section | None:
    """Chart accuracy by confidence, and the errors among the most confident predictions; None for a regression."""
    if run.task.regression:
        return None
    diagram = reliability(run.records)
    errors = (~run.records.correct).astype(np.float64)
    curve = risk_coverage(prediction_confidence(run.records.predictions, run.task), errors)
    charts: list[Chart] = [_diagram(diagram), _risk(curve)]
    rows = [_coverage_row(curve, coverage) for coverage in COVERAGES]
    table = DataTable(("coverage", "samples", "errors", "risk, 95 %"), rows, "errors of the most confident predictions")
    metrics = {
        name: run.results["intervals"][name]
        for name in ("ece", "ece_debiased", "nll", "brier")
        if name in run.results["intervals"]
    }
    measured = ", ".join(f"{name} {estimate(result)}" for name, result in metrics.items())
    blocks: list[Block] = [
        Gallery(charts),
        *([Paragraph(f"Metrics of the probabilities: {measured}.")] if measured else []),
        table,
    ]
    if run.records.groups is not None:
        blocks.append(Paragraph("Samples of a group depend on each other: the intervals of the table are too narrow."))
    facts = {"reliability": [b._asdict() for b in diagram], "aurc": curve.area, "metrics": metrics}
    return Section("reliability", "Reliability of the confidence", blocks, facts)


def _diagram(diagram: list[ReliabilityBin]) -> LineChart:
    points = Series(
        "accuracy, 95 %",
        [b.confidence for b in diagram],
        [b.accuracy for b in diagram],
        [b.low for b in diagram],
        [b.high for b in diagram],
        "points",
    )
    perfect = Series("perfect calibration", (0, 1), (0, 1), style="reference")
    alt = "Accuracy of predictions by their confidence, in bins of equal width"
    return LineChart([points, perfect], "confidence", "accuracy", alt, "reliability", (0, 1), (0, 1))


def _risk(curve: RiskCoverage) -> LineChart:
    shown = np.unique(np.linspace(0, len(curve.risk) - 1, min(POINTS, len(curve.risk))).astype(int))
    series = Series(f"AURC {curve.area:.4f}", curve.coverage[shown].tolist(), np.round(curve.risk[shown], 6).tolist())
    highest = max(0.05, float(curve.risk.max()))
    alt = "Share of errors among the most confident predictions, by the share of samples that are answered"
    return LineChart([series], "coverage", "share of errors", alt, "risk–coverage", (0, 1), (0, highest))


def _coverage_row(curve: RiskCoverage, coverage: float) -> tuple[str, ...]:
    answered = max(1, round(coverage * len(curve.risk)))
    errors = round(float(curve.risk[answered - 1]) * answered)
    low, high = wilson(errors / answered, answered)
    return (
        f"{coverage:.0%}",
        f"{answered:,}",
        f"{errors:,}",
        estimate({"value": errors / answered, "low": low, "high": high}),
    )
