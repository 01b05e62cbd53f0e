"""The section on how often predictions stay the same under augmentations, before and after training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ftaug.config.registry import Component
from ftaug.config.wording import listed
from ftaug.errors import FtaugError
from ftaug.interfaces.document import Alert, DataTable, Paragraph, Section
from ftaug.runs.invariance import (
    SEVERITIES,
    Agreement,
    InvarianceTest,
    OpAgreement,
    configured_ops,
    deciding_before,
    measure,
    registered_ops,
    severities,
)
from ftaug.runs.run_report.budget import forward_passes
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.statistics.intervals import wilson

MOST_SAMPLES, FEWEST_SAMPLES = 128, 50
"""Number of samples; with fewer in the budget only augmentations of the run are measured."""

LEAST = 25
"""Number of samples with which the augmentations of the run are measured, whatever it takes."""

KEY = "invariance"
LISTED = 5
NO_CHANGE = "·"


def invariance(run: ReportedRun) -> Section | None:
    """Show the agreement of predictions with and without augmentations, at severities and as in training.

    None for regression, and where no augmentation can be measured. Raises BadData, MissingInput.
    """
    if run.task.regression:
        return None
    opened = run.model
    chosen = configured_ops(opened)
    ops = [*chosen, *(op for op in registered_ops(opened) if op.name not in {each.name for each in chosen})]
    passes = forward_passes(opened, run.data.samples.read(int(run.data.ids[0]))) // 2
    is_complete = _affordable(passes, ops, chosen) >= FEWEST_SAMPLES
    ops = ops if is_complete else chosen
    if not ops:
        return None
    count = min(MOST_SAMPLES, max(LEAST, _affordable(passes, ops, chosen)))
    before, reason = None, ""
    try:
        before = deciding_before(opened, opened.splits["train"], count) if "train" in opened.splits else None
    except FtaugError as error:
        reason = f" Before training: {error}."
    test = InvarianceTest(opened, run.data, count, before)
    results = _sorted(list(measure(test, ops)))
    if not results or not len(test):
        return None
    facts = _facts(test, results)
    text = _introduction(run, test, is_complete, has_before=before is not None) + reason
    return Section(KEY, "Invariance to augmentations", [Paragraph(text), _table(results)], facts)


def _affordable(passes: int, ops: Sequence[Component], chosen: Sequence[Component]) -> int:
    """Return how many samples may be measured, each with all severities, before and after training."""
    return passes // max(1, 2 * (sum(len(severities(op)) for op in ops) + len(chosen) + 1))


def _sorted(results: Sequence[OpAgreement]) -> list[OpAgreement]:
    """Sort augmentations: those of the run first, and then those that change most predictions."""

    def order(result: OpAgreement) -> tuple[bool, float]:
        shares = [agreement.share for agreement in result.by_severity.values()]
        return result.in_training is None, float(np.mean(shares)) if shares else 1.0

    return sorted(results, key=order)


def _introduction(run: ReportedRun, test: InvarianceTest, is_complete: bool, *, has_before: bool) -> str:
    what = "predicted labels stay" if run.task.multi_label else "predicted class stays"
    text = f"Share of {len(test):,} {run.split} samples whose {what} the same under an augmentation"
    text += ", in parentheses before training." if has_before else "."
    text += " Severity 1 is the strongest; “as trained” has the settings of the run, applied each time."
    if has_before:
        text += " Before training, where the head is new, a sample is of the class with the nearest mean of features."
    if not is_complete:
        text += " Only augmentations of the run are measured, as the network is large."
    return text


def _table(results: Sequence[OpAgreement]) -> DataTable:
    columns = [s for s in SEVERITIES if any(s in result.by_severity for result in results)]
    has_training = any(result.in_training is not None for result in results)
    cells = [
        [*([result.in_training] if has_training else []), *(result.by_severity.get(s) for s in columns)]
        for result in results
    ]
    headings = ["augmentation", *(["as trained"] if has_training else []), *(f"severity {s:g}" for s in columns)]
    rows = [[result.op, *map(_cell, row)] for result, row in zip(results, cells, strict=True)]
    shades = [[0.0 if each is None else 1 - each.share for each in row] for row in cells]
    return DataTable(headings, rows, f"the darker, the more predictions change; {NO_CHANGE} changes no sample", shades)


def _cell(agreement: Agreement | None) -> str:
    if agreement is None:
        return ""
    if not agreement.changed:
        return NO_CHANGE
    before = agreement.share_before
    return f"{agreement.share:.2f}" + (f" ({before:.2f})" if before is not None else "")


def _facts(test: InvarianceTest, results: Sequence[OpAgreement]) -> dict[str, Any]:
    chance = test.chance
    trained = {result.op: result.in_training for result in results if result.in_training is not None}
    return {
        "samples": len(test),
        "chance": chance,
        **dict(zip(("accuracy", "accuracy_before"), test.accuracies, strict=False)),
        "does_nothing": [op for op, each in trained.items() if each.changed == 0],
        "destroys": [op for op, each in trained.items() if wilson(each.share, each.samples)[0] <= chance],
        "augmentations": [
            {
                "name": result.op,
                **({"as_trained": result.in_training.facts} if result.in_training is not None else {}),
                "severities": {f"{severity:g}": each.facts for severity, each in result.by_severity.items()},
            }
            for result in results
        ],
    }


def augmentation_alerts(facts: Mapping[str, Any]) -> Iterator[Alert]:
    """Alert to augmentations of the run that change no sample, or after which predictions agree by chance."""
    if names := facts["does_nothing"]:
        yield Alert(
            "augmentation_does_nothing",
            f"{listed(names, LISTED)} changed none of {facts['samples']:,} samples",
            "Raise the strength, or leave it out",
        )
    if names := facts["destroys"]:
        yield Alert(
            "augmentation_destroys",
            f"After {listed(names, LISTED)} predictions agree hardly more often than by chance ({facts['chance']:.2f})",
            "Lower the strength: what decided the class is gone",
        )
