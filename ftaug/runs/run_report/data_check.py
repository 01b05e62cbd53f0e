"""What `ftaug doctor` says about the data: duplicates across splits, unreadable samples, classes, shortcuts."""

from __future__ import annotations

from ftaug.engine.system.run_files import fold_folder
from ftaug.interfaces.document import DataTable, Paragraph, Section
from ftaug.runs.doctor.examine import examine
from ftaug.runs.doctor.open_data import DataToExamine
from ftaug.runs.run_report.data_card import class_counts
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.runs.trained_model import recorded_data

MOST = 5_000
"""Number of samples up to which all are read and compared, which takes seconds."""


def data_check(run: ReportedRun) -> Section:
    """Read and compare all samples, and tabulate the findings; of many samples, say how to check them."""
    total = sum(count for count, _ in class_counts(run).values())
    if total > MOST:
        text = f"The {total:,} samples were not checked for duplicates; check them: ftaug doctor {run.folder}"
        return Section("data_check", "Data check", [Paragraph(text)], {"checked": False, "findings": []})
    folder = fold_folder(run.folder, 1) if run.settings.is_folds else run.folder
    splits = dict(recorded_data(folder, run.experiment))
    findings = examine(DataToExamine(run.experiment, splits), labels=False).findings
    facts = {"checked": True, "findings": [finding.as_json() for finding in findings]}
    if not findings:
        return Section("data_check", "Data check", [Paragraph("No duplicates, and nothing else to report.")], facts)
    rows = [(f.level, f.text, f"{f.count:,}" if f.count else "", "; ".join(f.examples)) for f in findings]
    return Section("data_check", "Data check", [DataTable(("level", "finding", "samples", "examples"), rows)], facts)
