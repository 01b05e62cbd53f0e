"""calibration.json of a run folder: the calibration that `ftaug calibrate` fitted to a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.strict_json import dumps
from ftaug.engine.system.run_files import MANIFEST, read_json
from ftaug.engine.system.storage import replace as replace_file
from ftaug.engine.system.storage import sha256, storage_errors
from ftaug.errors import BadData
from ftaug.interfaces.data import Task, rescaled_thresholds
from ftaug.statistics.calibration import Scaling
from ftaug.statistics.conformal import TargetScores

CALIBRATION_FILE = "calibration.json"
KEYS = {"checkpoint": str, "manifest": str, "samples": int, "scale": list, "bias": list, "confidences": list}


@dataclass(frozen=True)
class Calibration:
    """A calibration of a checkpoint, and what predictions with a coverage need."""

    checkpoint: str  # name
    manifest: str  # SHA-256 of the checkpoint's manifest
    scaling: Scaling
    samples: int  # that the scaling and the scores of sets were fitted on
    confidences: np.ndarray  # calibrated, of the other half of validation, ascending
    set_scores: TargetScores | None  # of uncalibrated probabilities; None with several labels a sample

    def fits(self, checkpoint: Path) -> bool:
        """Whether it was fitted to this checkpoint."""
        return self.manifest == manifest_hash(checkpoint)

    def probabilities(self, logits: np.ndarray, activation: str) -> np.ndarray:
        """Turn logits (n, classes) into calibrated probabilities of the same type."""
        from ftaug.engine.training import evaluate  # imports torch

        return evaluate.probabilities(self.scaling.logits(logits).astype(logits.dtype), activation)

    def calibrated_task(self, task: Task) -> Task:
        """Return the task with thresholds of calibrated probabilities that decide as before."""
        if task.thresholds is None:
            return task
        return replace(task, thresholds=rescaled_thresholds(task.thresholds, self.scaling.scale, self.scaling.bias))

    @property
    def facts(self) -> dict[str, Any]:
        """What reports and the metadata of exports say of it, as JSON values."""
        temperature = self.scaling.temperature
        return {
            "method": "vector" if temperature is None else "temperature",
            **({} if temperature is None else {"temperature": temperature}),
            "scale": list(self.scaling.scale),
            "bias": list(self.scaling.bias),
            "samples": self.samples,
        }

    def __str__(self) -> str:
        temperature = self.scaling.temperature
        how = "vector scaling" if temperature is None else f"temperature {temperature:.4g}"
        return f"{how}, fitted on {self.samples:,} validation samples"


def manifest_hash(checkpoint: Path) -> str:
    """Hash a checkpoint's manifest, which holds the hashes of its files; empty if it has none."""
    path = checkpoint / MANIFEST
    return sha256(path) if path.is_file() else ""


def write(folder: Path, calibration: Calibration) -> Path:
    """Write the calibration of a run folder; raises StorageError."""
    scores = calibration.set_scores
    sets = {} if scores is None else {"sets": {"score": scores.score, "scores": [v.tolist() for v in scores.values]}}
    content = {
        "checkpoint": calibration.checkpoint,
        "manifest": calibration.manifest,
        **calibration.facts,
        "confidences": calibration.confidences.tolist(),
        **sets,
    }
    path = folder / CALIBRATION_FILE
    with storage_errors(f"cannot write {path}"):
        replace_file(path, (dumps(content) + "\n").encode())
    return path


def read(folder: Path, task: Task) -> Calibration | None:
    """Read the calibration of a run folder, of whichever checkpoint; None if there is none. Raises BadData."""
    path = folder / CALIBRATION_FILE
    try:
        content = read_json(path, KEYS)
        return None if content is None else _parse(content, task)
    except (BadData, ValueError, TypeError, KeyError):
        raise BadData(f"{path}: is damaged; delete it, or write it anew: ftaug calibrate {folder}") from None


def _parse(content: dict[str, Any], task: Task) -> Calibration:
    scale, bias = (_numbers(content[key], {1, len(task.classes)}) for key in ("scale", "bias"))
    sets, scores = content.get("sets"), None
    if sets is not None:
        values = [np.array(_numbers(each), np.float64) for each in sets["scores"]]
        if sets["score"] not in ("lac", "aps") or len(values) not in {1, len(task.classes)}:
            raise ValueError(sets["score"])
        scores = TargetScores(sets["score"], tuple(values))
    return Calibration(
        content["checkpoint"],
        content["manifest"],
        Scaling(scale, bias),
        content["samples"],
        np.array(_numbers(content["confidences"]), np.float64),
        scores,
    )


def _numbers(values: Sequence[Any], lengths: set[int] | None = None) -> tuple[float, ...]:
    """Return finite numbers, as many as one of the lengths; raises ValueError."""
    numbers = tuple(float(value) for value in values)
    if not np.isfinite(numbers).all() or (lengths is not None and len(numbers) not in lengths):
        raise ValueError(values)
    return numbers
