"""Tune multi-label decision thresholds on validation and store them in the run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ftaug.config.strict_json import dumps
from ftaug.engine.system.run_files import THRESHOLDS_FILE, read_json
from ftaug.engine.system.storage import replace, storage_errors
from ftaug.errors import BadData

if TYPE_CHECKING:
    from ftaug.runs.trained_model import TrainedModel


def best_f1(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Find the threshold with the highest F1 of a label, from probabilities (n,) and targets (n,).

    It lies halfway between two probabilities; ties go to the one nearest to 1/2, as does a label without samples.
    """
    if not targets.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    values, present = probabilities[order].astype(np.float64), targets[order] > 0
    ends = np.flatnonzero(np.diff(values, append=-1.0))  # last index of each group of equal probabilities
    scores = 2 * np.cumsum(present)[ends] / (ends + 1 + present.sum())
    thresholds = (values[ends] + np.append(values[ends[1:]], 0.0)) / 2
    best = thresholds[scores == scores.max()]
    return float(best[np.abs(best - 0.5).argmin()])


def tune(opened: TrainedModel) -> dict[str, float]:
    """Tune a threshold per label if the experiment asks for it, and write thresholds.json."""
    if opened.experiment.evaluate.thresholds is None:
        return {}
    from ftaug.engine.training import evaluate  # imports torch

    split = opened.select_split("val")
    columns = evaluate.probabilities(opened.logits(split), opened.activation).T
    tuned = {
        name: best_f1(column, target)
        for name, column, target in zip(opened.task.classes, columns, split.targets.T, strict=True)
    }
    path = opened.folder / THRESHOLDS_FILE
    with storage_errors(f"cannot write {path}"):
        content = {"best": opened.experiment.evaluate.thresholds, "samples": len(split), "thresholds": tuned}
        replace(path, (dumps(content, indent=1) + "\n").encode())
    return tuned


def read(folder: Path, classes: tuple[str, ...]) -> tuple[float, ...] | None:
    """Read the thresholds of a run folder, in the order of the classes; None if not tuned. Raises BadData."""
    content = read_json(path := folder / THRESHOLDS_FILE)
    if content is None:
        return None
    if missing := [name for name in classes if name not in content["thresholds"]]:
        raise BadData(
            f"{path}: has no threshold of '{missing[0]}'; restore it from a copy, or train again with --fresh"
        )
    return tuple(content["thresholds"][name] for name in classes)
