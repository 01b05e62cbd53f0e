"""Find samples whose label is probably wrong, from predictions of models that were not trained on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.engine.loading import seeds
from ftaug.engine.loading.sample_keys import identities, sample_keys
from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Task
from ftaug.runs.doctor.finding import EXAMPLES, Finding
from ftaug.runs.doctor.linear_probe import out_of_fold
from ftaug.runs.doctor.scan import Scan
from ftaug.statistics.label_errors import LabelErrors, find_label_errors, find_multi_label_errors


@dataclass(frozen=True)
class LabelSuspects:
    """Samples with a label that is probably wrong, the most certain first."""

    rows: np.ndarray  # int64 (k,): rows of the scan
    errors: LabelErrors  # of the rows that were predicted
    task: Task

    @property
    def count(self) -> int:
        """The estimated number of wrong labels: that many of the first rows are suspects."""
        return self.errors.estimated

    def suggested_labels(self, place: int) -> tuple[str, ...]:
        """Return the labels that are probably right for the suspect at a place."""
        suggested = self.errors.suggested[place]
        codes = np.flatnonzero(suggested).tolist() if self.task.multi_label else [int(suggested)]
        return tuple(self.task.classes[code] for code in codes)

    def suggested(self, place: int) -> str:
        """Return the human-readable suggestion for the suspect at a place."""
        return ", ".join(self.suggested_labels(place)) or "none"


def find(scan: Scan, probabilities: Mapping[str, np.ndarray]) -> LabelSuspects:
    """Find wrong labels in the splits with predictions, float32 (samples, classes) each, in the order of the scan."""
    rows = np.concatenate([scan.rows(purpose) for purpose in probabilities])
    task = scan.splits["train"].task
    search = find_multi_label_errors if task.multi_label else find_label_errors
    errors = search(np.concatenate([*probabilities.values()]), scan.targets(rows))
    return LabelSuspects(rows[errors.rows], errors, task)


def check_task(task: Task) -> None:
    """Raise ExperimentError if the targets are numbers."""
    if task.regression:
        raise ExperimentError(
            "--labels: finds wrong labels of classes, and this task is regression; leave it out, and look at the "
            "samples with the highest loss in the records of `ftaug evaluate`"
        )


def predicted_from_features(
    experiment: Experiment, scan: Scan, groups: np.ndarray, features: np.ndarray
) -> dict[str, np.ndarray]:
    """Predict all samples out of fold by a logistic regression on the backbone's features, float32 (n, values)."""
    splits = [scan.readable(purpose) for purpose in scan.splits]
    words = [identities(sample_keys(split.samples), None)[split.ids] for split in splits]
    probabilities = out_of_fold(
        features,
        scan.targets(np.arange(len(scan))),
        len(scan.splits["train"].task.classes),
        groups,
        np.concatenate(words),
        seeds.word(f"{experiment.seed}/doctor"),
    )
    return {purpose: probabilities[scan.rows(purpose)] for purpose in scan.splits}


def finding(scan: Scan, suspects: LabelSuspects) -> Finding:
    """Summarize the suspects."""
    examples = [
        f"{scan.sample(int(row)).name} ({scan.sample(int(row)).label}): {suspects.suggested(place)}"
        for place, row in enumerate(suspects.rows[: min(EXAMPLES, suspects.count)])
    ]
    if not suspects.count:
        return Finding("label_errors", "note", 0, "no label is probably wrong")
    return Finding("label_errors", "caution", suspects.count, "labels that are probably wrong", examples)


def as_json(scan: Scan, suspects: LabelSuspects) -> dict[str, Any]:
    """Return the estimated number of wrong labels, and all samples of which another class is more probable."""
    samples = [scan.sample(int(row)) for row in suspects.rows]
    return {
        "estimated": suspects.count,
        "ranking": [
            {
                "split": sample.split.purpose,
                "name": sample.name,
                "label": sample.label,
                "suggested": suspects.suggested(place),
                "probability": float(suspects.errors.probabilities[place]),
            }
            for place, sample in enumerate(samples)
        ],
    }
