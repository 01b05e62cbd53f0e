"""Metadata of exported files: everything needed to use them, and their provenance."""

from __future__ import annotations

from typing import Any

import numpy as np

from ftaug import __version__
from ftaug.interfaces.data import Task, rescaled_thresholds
from ftaug.interfaces.export import Bundle

DECISIONS = {
    "single_label": "argmax",
    "multi_label": "above_threshold",
    "regression": "value",
}


def description(bundle: Bundle) -> dict[str, Any]:
    """Build the metadata of an export, as JSON values; `docs/commands.md` explains each key."""
    task = bundle.task
    return {
        "name": bundle.name,
        "ftaug": __version__,
        "task": "ordinal" if bundle.ordered else task.kind,
        "classes": list(task.classes),
        "class_order": _class_order(bundle),
        "multi_label": task.multi_label,
        "regression": task.regression,
        "activation": bundle.activation,
        "decision": DECISIONS[task.kind],
        **({"thresholds": _thresholds(task)} if task.multi_label else {}),
        **({} if bundle.calibration is None else {"calibration": bundle.calibration}),
        **({"units": dict.fromkeys(task.classes, "as in the training labels")} if task.regression else {}),
        "preprocessing": {**bundle.export_signature.preprocessing, **_decoding(bundle)},
        "inputs": {
            name: {
                "shape": [
                    bundle.export_signature.free[name].get(axis, length) for axis, length in enumerate(tensor.shape)
                ],
                "type": str(tensor.dtype).removeprefix("torch."),
            }
            for name, tensor in bundle.export_signature.inputs(bundle.example).items()
        },
        **bundle.provenance,
    }


def _decoding(bundle: Bundle) -> dict[str, Any]:
    """Describe the decoding steps from a file to the input of the preprocessing."""
    return {} if bundle.reading is None else {"decoding": list(bundle.reading.decoding)}


def _thresholds(task: Task) -> list[float]:
    return [0.5] * len(task.classes) if task.thresholds is None else list(task.thresholds)


def uncalibrated_thresholds(bundle: Bundle) -> list[float] | None:
    """Return the thresholds that decide as the model does on probabilities without its calibration; None: 0.5."""
    task, calibration = bundle.task, bundle.calibration
    if calibration is None or not task.multi_label:
        return None if task.thresholds is None else list(task.thresholds)
    inverse = 1 / np.array(calibration["scale"])
    return list(rescaled_thresholds(_thresholds(task), inverse.tolist(), (-inverse * calibration["bias"]).tolist()))


def _class_order(bundle: Bundle) -> str:
    """Describe the order of the classes and outputs."""
    classes = list(bundle.task.classes)
    if bundle.ordered:
        return "ascending"
    return "by code point" if classes == sorted(classes) and not bundle.task.regression else "as in the data"
