"""Evaluate a trained model on corrupted samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ftaug.config.registry import Component, nested
from ftaug.engine.loading.prepare import corrupt_split, modality_of
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import ExperimentError, did_you_mean
from ftaug.interfaces.modality import Corruption, Corruptions
from ftaug.runs.component_option import parse_component
from ftaug.runs.report.intervals import records_of
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.sample_records import sample_errors
from ftaug.runs.trained_model import TrainedModel
from ftaug.statistics.records import require_finite

ALL = "all"
OTHER = "other"
"""Category of augmentations that are no corruptions of the modality."""


class CorruptedErrors(NamedTuple):
    """The errors of a model on samples with a corruption."""

    corruption: Corruption
    errors: np.ndarray  # of each level and sample, (levels, n)


def choose_corruptions(opened: TrainedModel, names: Sequence[str]) -> Corruptions:
    """Return the corruptions of these names or categories, or all; or augmentations such as `{rotate: {degrees: 30}}`.

    Raises ExperimentError for a name that is not there.
    """
    known = modality_of(opened.experiment).corruptions(opened.preprocessing)
    chosen: dict[str, Corruption] = {}
    for name in names:
        if name.lstrip().startswith("{"):
            members = [_augmentation(name, opened.experiment.modality)]
        else:
            members = [c for c in known.members if name in (ALL, c.name, c.category)]
        if not members:
            choices = {name for c in known.members for name in (c.name, c.category)} | {ALL}
            raise ExperimentError(f"--corruptions {name}: there is no such corruption{did_you_mean(name, choices)}")
        chosen |= {member.name: member for member in members}
    return Corruptions(list(chosen.values()), known.notes)


def _augmentation(text: str, modality: str) -> Corruption:
    """Parse an augmentation with its settings, by which it is named; raises ExperimentError."""
    context = {"folder": Path.cwd(), "modality": modality}
    component = parse_component("augmentation", text, "--corruptions", context)
    return Corruption(text.strip()[1:-1].strip(), OTHER, (component,), (component.name,))


def evaluate_corruptions(
    opened: TrainedModel, split: DataSplit, corruptions: Sequence[Corruption]
) -> Iterator[CorruptedErrors]:
    """Evaluate on each level of each corruption, without test-time augmentation; shows the progress on stderr."""
    total = sum(len(corruption.levels) for corruption in corruptions)
    with ProgressBar(total, 0, unit="corruption") as progress:
        for corruption in corruptions:
            errors = []
            for level in corruption.levels:
                errors.append(_errors(opened, split, level))
                progress.advance()
                progress.status(corruption.name)
            yield CorruptedErrors(corruption, np.stack(errors))


def _errors(opened: TrainedModel, split: DataSplit, corruption: Component) -> np.ndarray:
    def prepare(data: DataSplit) -> Any:
        return corrupt_split(opened.experiment, data, corruption, opened.preprocessing)

    records = records_of(opened.compute_metrics(opened.logits(split, prepare), split), split)
    require_finite(records)
    return sample_errors(records)


def trained_on(opened: TrainedModel, corruption: Corruption) -> list[str]:
    """Return the augmentations of the training that are similar to a corruption."""
    names = {
        component.name
        for _, component in nested(opened.experiment.augment)
        if component.name in corruption.similar or component.settings.get("kind") == corruption.name
    }
    return sorted(names)
