"""Examine the data of an experiment: read every sample, and collect the findings of all checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.engine.loading import label_check, split_notes
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import BadData, BadSample, ExperimentError, Problem
from ftaug.interfaces.model import CannotCut
from ftaug.runs.doctor import class_checks, duplicates, label_suspects, shortcuts, similar_features
from ftaug.runs.doctor.duplicates import Duplicates
from ftaug.runs.doctor.finding import EXAMPLES, LEVELS, Finding, Level
from ftaug.runs.doctor.label_suspects import LabelSuspects
from ftaug.runs.doctor.open_data import DataToExamine
from ftaug.runs.doctor.parallel import worker_count
from ftaug.runs.doctor.sample_groups import joined_groups
from ftaug.runs.doctor.scan import Scan, data_health, scan
from ftaug.runs.doctor.similar_features import SimilarSamples


@dataclass(frozen=True)
class Diagnosis:
    """The result of `ftaug doctor`."""

    experiment: Experiment
    scan: Scan
    duplicates: Duplicates
    groups: np.ndarray  # int64 (n,): of each row, joined where samples are duplicates
    suspects: LabelSuspects | None  # None: labels were not checked
    similar: SimilarSamples | None  # None: features were not computed
    findings: Sequence[Finding]  # problems first

    def check(self) -> None:
        """Raise BadData, with the result printed, if something breaks training."""
        problems = [Problem(each.summary) for each in self.findings if each.level == "problem"]
        if problems:
            error = BadData(*problems)
            error.result_printed = True
            raise error


def examine(data: DataToExamine, *, labels: bool, device: str = "auto", trust_plugins: bool = False) -> Diagnosis:
    """Read every sample once, and check them; with `labels`, or of folds, also look for wrong labels."""
    experiment, task = data.experiment, data.splits["train"].task
    if labels:
        label_suspects.check_task(task)
    scanned = scan(experiment, data.splits)
    noun = data_health(experiment.modality).noun
    pairs = duplicates.find(scanned, experiment.modality, worker_count(experiment))
    groups = joined_groups(scanned, pairs)
    findings = [
        *_unreadable(experiment, scanned),
        *duplicates.findings(scanned, pairs, noun),
        *class_checks.findings(scanned),
        *shortcuts.findings(scanned),
        *_cautions(experiment, data.splits),
    ]
    suspects, similar = None, None
    predicted = None
    if labels:
        features = _features(experiment, scanned, device)
        similar = similar_features.find(scanned, features, groups)
        findings += similar_features.findings(scanned, similar, noun)
        if data.folds is None:
            predicted = label_suspects.predicted_from_features(experiment, scanned, groups, features)
    if data.folds is not None and not task.regression:
        from ftaug.runs.doctor.fold_predictions import fold_predictions  # imports torch

        predicted = fold_predictions(data.folds, scanned, device, trust_plugins=trust_plugins)
    if predicted is not None:
        suspects = label_suspects.find(scanned, predicted)
        findings.append(label_suspects.finding(scanned, suspects))
    findings.sort(key=lambda finding: LEVELS.index(finding.level))
    return Diagnosis(experiment, scanned, pairs, groups, suspects, similar, findings)


def _features(experiment: Experiment, scanned: Scan, device: str) -> np.ndarray:
    """Return the features of the backbone, float32 (n, values); raises ExperimentError."""
    from ftaug.runs.doctor.backbone_features import backbone_features  # imports torch

    try:
        return backbone_features(experiment, scanned, device)
    except CannotCut as reason:
        text = f"--labels: the features of {experiment.backbone.name} cannot be computed: {reason}"
        raise ExperimentError(f"{text}; use a folder of `ftaug train --folds`") from None


def _unreadable(experiment: Experiment, scanned: Scan) -> Iterator[Finding]:
    """Yield a finding for each split with unreadable samples: a problem unless `data.bad_samples` leaves them out."""
    if not scanned.unreadable:
        return
    level, remedy = _consequence(experiment, scanned)
    for purpose in scanned.splits:
        bad = [each for each in scanned.unreadable if each.sample.split.purpose == purpose]
        if bad:
            examples = [f"{sample.name}: {reason}" for sample, reason in bad[:EXAMPLES]]
            yield Finding("unreadable", level, len(bad), f"{purpose}: cannot be read", examples, remedy)


def _consequence(experiment: Experiment, scanned: Scan) -> tuple[Level, str]:
    """Return the level of unreadable samples and what to do: whether training would leave them out, or end."""
    from ftaug.runs.bad_samples import without  # imports torch
    from ftaug.runs.data_check import Unreadable

    bad = [
        Unreadable(sample.split.purpose, sample.position, sample.name, BadSample(f"{sample.name}: {reason}"))
        for sample, reason in scanned.unreadable
    ]
    try:
        without(experiment, scanned.splits, bad)
    except BadData as error:
        return "problem", error.problems[-1].message.rpartition("; ")[2]
    return "caution", "data.bad_samples leaves them out"


def _cautions(experiment: Experiment, splits: Mapping[str, DataSplit]) -> Iterator[Finding]:
    """Yield the cautions of training about class names, sizes of splits and unused rows, and the datasets' notes."""
    cautions = [
        *label_check.cautions(experiment, splits["train"]),
        *split_notes.size_mismatches(experiment.data, splits),
        *split_notes.unused_rows(splits),
    ]
    yield from (Finding("data", "caution", 0, text) for text in cautions)
    yield from (Finding("data", "note", 0, text) for text in split_notes.notes_of(splits))
