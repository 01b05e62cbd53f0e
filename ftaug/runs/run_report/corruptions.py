"""Results on corrupted samples, where `ftaug evaluate --corruptions` measured them."""

from __future__ import annotations

from ftaug.interfaces.document import DataTable, Paragraph, Section
from ftaug.runs.run_report.formats import estimate, number
from ftaug.runs.run_report.reported_run import ReportedRun


def corruptions(run: ReportedRun) -> Section | None:
    """Tabulate the metric by corruption and level; None if corruptions were not evaluated."""
    facts = run.results.get("corruptions")
    if not facts:
        return None
    levels = max(len(row["levels"]) for row in facts["corruptions"])
    rows = []
    for row in facts["corruptions"]:
        cells = [number(level["value"]) for level in row["levels"]]
        name = row["corruption"] + (" *" if row["trained_on"] else "")
        rows.append((name, *cells, *[""] * (levels - len(cells)), estimate(row)))
    by_level = DataTable(("corruption", *map(str, range(1, levels + 1)), f"{facts['metric']}, 95 %"), rows)
    means = {"without corruption": facts["clean"], "mean": facts["mean"], **facts["categories"]}
    by_category = DataTable(
        ("corruptions", f"{facts['metric']}, 95 %"), [(name, estimate(value)) for name, value in means.items()]
    )
    trained = any(row["trained_on"] for row in facts["corruptions"])
    notes = ["* The augmentation of training has similar operations."] * trained
    notes += [f"{note}." for note in facts.get("notes", ())]
    return Section("corruptions", "Corrupted samples", [by_category, by_level, *map(Paragraph, notes)], facts)
