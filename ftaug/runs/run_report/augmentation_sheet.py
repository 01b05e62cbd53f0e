"""The section that shows what the augmentations of a run do to training samples."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from ftaug.engine.loading.prepare import modality_of
from ftaug.interfaces.document import Block, DataTable, Paragraph, Section
from ftaug.runs.preview_request import sample_request
from ftaug.runs.run_report.reported_run import ReportedRun

SHOWN, MEASURED = 3, 8
"""Number of samples that are shown, and on which each augmentation alone is measured."""


def augmentation_sheet(run: ReportedRun) -> Section | None:
    """Show samples after each augmentation alone and after all of them; None without augmentation.

    Raises BadData.
    """
    experiment, splits = run.experiment, run.model.splits
    if not experiment.augment and experiment.mix is None:
        return None
    train = splits["train"] if "train" in splits else splits["val"]  # of folds, which are all of the training samples
    preview = modality_of(experiment).preview
    effects = preview.effects(sample_request(experiment, train, MEASURED, run.model.preprocessing))
    warnings = [effect.warning for effect in effects if effect.warning]
    blocks: list[Block] = [
        Paragraph(
            "Training samples as stored, after each augmentation alone, and as the model sees them in the first epochs."
        ),
        *preview.galleries(sample_request(experiment, train, SHOWN, run.model.preprocessing)),
    ]
    if effects:
        caption = f"each augmentation alone, {effects[0].tries} times on {min(MEASURED, len(train))} samples"
        rows = [[effect.op, *effect.describe().values()] for effect in effects]
        blocks.append(DataTable(["augmentation", *effects[0].describe()], rows, caption))
    if warnings:
        blocks.append(Paragraph("; ".join(warnings)))
    facts: dict[str, Any] = {"effects": [asdict(cast(Any, each)) for each in effects], "warnings": warnings}
    return Section("augmentation_sheet", "Augmentation", blocks, facts)
