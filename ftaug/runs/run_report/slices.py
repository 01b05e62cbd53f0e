"""The slices on which the model is worst, where `ftaug evaluate --slices` measured them."""

from __future__ import annotations

from ftaug.interfaces.document import DataTable, Paragraph, Section
from ftaug.runs.report.comparison import p_value
from ftaug.runs.run_report.formats import estimate
from ftaug.runs.run_report.reported_run import ReportedRun

LISTED = 30


def slices(run: ReportedRun) -> Section | None:
    """Tabulate the worst slices; None if they were not evaluated."""
    facts = run.results.get("slices")
    if not facts or not facts["worst"]:
        return None
    rows = [
        (
            f"{row['column']}: {row['slice']}",
            f"{row['samples']:,}",
            estimate(row),
            f"{row['shrunken']:+.3f}",
            p_value(row["adjusted_p"]),
        )
        for row in facts["worst"][:LISTED]
    ]
    headings = ("slice", "samples", f"{facts['metric']}, 95 %", "difference", "p (Holm)")
    notes = [Paragraph(f"{note}.") for note in facts["notes"]]
    caption = "the worst first; the difference from the other samples is shrunk by its uncertainty"
    return Section("slices", "Worst slices", [DataTable(headings, rows, caption), *notes], facts)
