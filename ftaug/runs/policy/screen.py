"""Screen augmentations on a trained model: how far each may go, and which classes it must spare.

Affinity is the accuracy on augmented samples less that on the samples, diversity the ratio of their losses (after
Gontijo-Lopes et al. 2021, by forward passes alone): an augmentation is useful where it is hard but keeps the labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ftaug.config.registry import Component
from ftaug.config.severity import at_severity
from ftaug.engine.loading import seeds
from ftaug.engine.loading.prepare import corrupt_split
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import FtaugError
from ftaug.runs.invariance import certain, registered_ops, severities
from ftaug.runs.neighbors import subset
from ftaug.runs.report.intervals import records_of
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.sample_records import sample_errors, sample_losses
from ftaug.runs.trained_model import TrainedModel
from ftaug.statistics.intervals import wilson

SAMPLES = 400
"""Number of validation samples that are augmented."""

LEAST_AFFINITY = -0.15
"""Lowest affinity of a usable severity: a model that never saw the augmentation loses some accuracy to it."""

CLASS_LOSS = 0.3
"""Share of a class that may be predicted wrong by the augmentation alone, before it counts as changing the label."""


@dataclass(frozen=True)
class Outputs:
    """Errors and losses of samples, each (n,)."""

    errors: np.ndarray
    losses: np.ndarray


@dataclass(frozen=True)
class OpScreen:
    """The result for an augmentation."""

    op: str
    affinity: Mapping[float, float]  # by severity
    diversity: Mapping[float, float]
    cap: float  # the largest severity to use; 0 if there is none
    spared: tuple[str, ...]  # classes whose labels it changes

    def as_json(self) -> dict[str, Any]:
        """Convert to a JSON value."""
        facts = asdict(self)
        return facts | {key: {f"{s:g}": value for s, value in facts[key].items()} for key in ("affinity", "diversity")}


def screen(opened: TrainedModel) -> list[OpScreen]:
    """Screen the augmentations of the modality on validation samples of a model that was trained without any."""
    ops = [op for op in registered_ops(opened) if severities(op) and not op.entry.facts.get("composite")]
    split = opened.splits["val"]
    count = min(SAMPLES, len(split))
    chosen = np.sort(seeds.generator(opened.experiment.seed, "screen").choice(len(split), count, replace=False))
    split = subset(split, chosen)
    results = []
    clean = _outputs(opened, split, None)
    with ProgressBar(len(ops), 0, unit="augmentation") as progress_bar:
        for op in ops:
            results += list(_screened(opened, split, op, clean))
            progress_bar.advance()
            progress_bar.status(op.name)
    return results


def _screened(opened: TrainedModel, split: DataSplit, op: Component, clean: Outputs) -> Iterator[OpScreen]:
    """Yield the result of an augmentation; nothing if it fails on these samples."""
    try:
        by_severity = {s: _outputs(opened, split, at_severity(certain(op), s)) for s in severities(op)}
    except FtaugError:
        return
    labels = None if split.task.kind != "single_label" else split.targets
    yield assess(op.name, clean, by_severity, labels, split.task.classes, can_spare="except" in op.settings)


def _outputs(opened: TrainedModel, split: DataSplit, op: Component | None) -> Outputs:
    def prepare(data: DataSplit) -> Any:
        if op is None:
            return opened.prepare_single_view(data)
        return corrupt_split(opened.experiment, data, op, opened.preprocessing)

    records = records_of(opened.compute_metrics(opened.logits(split, prepare), split), split)
    return Outputs(sample_errors(records), sample_losses(records))


def assess(
    op: str,
    clean: Outputs,
    by_severity: Mapping[float, Outputs],
    labels: np.ndarray | None,
    classes: Sequence[str],
    *,
    can_spare: bool,
) -> OpScreen:
    """Return the affinity and diversity of an augmentation at each severity, and how far it may go.

    Classes that lose too many samples to it are spared if it can spare classes; else they limit the severity.
    `labels` are the classes of the samples (n,); None if they have several, or numbers.
    """
    cap, spared = 0.0, set[int]()
    affinity, diversity = {}, {}
    for severity, outputs in sorted(by_severity.items()):
        lost = set() if labels is None else _lost_classes(clean.errors, outputs.errors, labels, len(classes))
        rows = np.ones(len(clean.errors), bool) if labels is None else ~np.isin(labels, [*lost] if can_spare else [])
        affinity[severity] = float((clean.errors - outputs.errors).mean())
        diversity[severity] = float(outputs.losses.mean() / max(clean.losses.mean(), 1e-12))
        is_usable = rows.any() and float((clean.errors - outputs.errors)[rows].mean()) >= LEAST_AFFINITY
        if not is_usable or (lost and not can_spare):
            continue
        if cap == max((s for s in by_severity if s < severity), default=0.0):  # all smaller ones are usable
            cap, spared = severity, lost
    return OpScreen(op, affinity, diversity, cap, tuple(classes[code] for code in sorted(spared)))


def _lost_classes(clean: np.ndarray, augmented: np.ndarray, labels: np.ndarray, count: int) -> set[int]:
    """Return the classes of which more than CLASS_LOSS is predicted wrong by the augmentation, at a level of 95%."""
    lost = set()
    for code in range(count):
        of_class = labels == code
        share = float(np.maximum(augmented - clean, 0)[of_class].mean()) if of_class.any() else 0.0
        if wilson(share, int(of_class.sum()))[0] > CLASS_LOSS:
            lost.add(code)
    return lost
