"""Pretraining without labels, and whether the features became better by it: k nearest neighbors, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.strict_json import dumps
from ftaug.data.nearest import nearest
from ftaug.engine.loading.batches import batches, once
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system import checkpoint
from ftaug.engine.system.run_files import COMPLETE_FILE, MODEL_FILE, STATUS_FILE, path_of, read_json
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.system.storage import remove, replace, storage_errors, sync_folder
from ftaug.interfaces.data import Task
from ftaug.runs.initial_weights import initial_weights_of
from ftaug.runs.open_run import open_run
from ftaug.runs.penultimate_features import FeatureModel, NoFeatures
from ftaug.runs.trained_model import TrainedModel
from ftaug.statistics.comparison import Difference, compare
from ftaug.statistics.metric_table import standard_metrics
from ftaug.statistics.records import Records

RESULT_FILE = "pretraining.json"
NEIGHBORS = 10


def assess(run: Path, *, trust_plugins: bool = False) -> dict[str, Any]:
    """Compare the features before and after a pretraining; return the result as a JSON value.

    If they are not shown to be better, the initial weights become the run's best checkpoint.
    """
    if (result := read_json(run / RESULT_FILE, {})) is not None:
        return result
    opened = open_run(run, trust_plugins=trust_plugins)
    train = opened.splits["train"]
    result = {"run": str(run), "samples": len(train), "better": None, "difference": None, "reason": None}
    try:
        result |= _compare(opened, train, trust_plugins=trust_plugins)
    except NoFeatures as reason:
        result["reason"] = f"the network {reason}"
    with storage_errors(f"{run / RESULT_FILE}: cannot be written"):
        replace(run / RESULT_FILE, (dumps(result, indent=1) + "\n").encode())
    return result


def _compare(opened: TrainedModel, train: DataSplit, *, trust_plugins: bool) -> dict[str, Any]:
    """Compare the features before and after, and keep the initial weights unless they became better."""
    if train.task.kind != "single_label" or not train.task.classes:
        return {"reason": "data.train does not have one class for each sample"}
    after = neighbor_records(features(opened, train), train)
    initial = initial_weights_of(opened, trust_plugins=trust_plugins).weights
    opened.model.network.load_state_dict(initial)
    before = neighbor_records(features(opened, train), train)
    metric = {"accuracy": standard_metrics(train.task)["accuracy"]}
    difference = compare([before], [after], metric)["accuracy"]
    if not is_better(difference):
        restore_initial_weights(opened.folder, initial)
    return {"better": is_better(difference), "difference": _as_json(difference)}


def is_better(difference: Difference) -> bool:
    """Whether the interval of the difference is above 0."""
    return difference.low > 0


def features(opened: TrainedModel, split: DataSplit) -> np.ndarray:
    """Compute the inputs of the output layer for the samples of a split: float32 (n, values)."""
    network = FeatureModel.of(opened.model, opened.stages, len(opened.task.classes), opened.device.torch)
    data = opened.prepare_single_view(split)
    requests = once(len(split), opened.batch_size, data.sizes)
    rows: dict[int, np.ndarray] = {}
    for batch in batches(data, requests, opened.workers, pin=False):
        rows.update(zip(batch.request.ids.tolist(), network.compute(batch.inputs), strict=True))
    return np.stack([rows[position] for position in range(len(split))])


def neighbor_records(vectors: np.ndarray, split: DataSplit) -> Records:
    """Predict each sample by its nearest neighbors among the others: the share of each class among them."""
    count = min(NEIGHBORS, len(split) - 1)
    rows = nearest(vectors, vectors, count, np.arange(len(split))).rows
    shares = np.stack([(split.targets[rows] == code).mean(axis=1) for code in range(len(split.task.classes))], axis=1)
    groups = split.samples.groups
    return Records(Task(split.task.classes), shares, split.targets, None if groups is None else groups[split.ids])


def restore_initial_weights(run: Path, weights: Mapping[str, Any]) -> None:
    """Make the initial weights of a complete run its best checkpoint, as that of step 0."""
    folder = RunFolder.open(
        run,
        experiment_yaml=(run / "experiment.yaml").read_text(encoding="utf-8-sig"),
        resolved_yaml=(run / "resolved.yaml").read_text(encoding="utf-8-sig"),
        digest=str((read_json(run / STATUS_FILE) or {})["digest"]),
    )
    with folder:
        last = checkpoint.newest(folder.checkpoints)
        state = {} if last is None else checkpoint.load(last)[1]
        about, target = read_json(run / MODEL_FILE) or {}, path_of(folder.checkpoints, 0)
        with storage_errors(f"{run}: the initial weights cannot be saved"):
            prepared = run / ".tmp-initial"  # among the checkpoints, saving step 0 would discard the later ones
            remove(prepared)
            prepared.mkdir()
            if not target.exists():
                checkpoint.save(prepared, 0, {"model": weights}, state, about).rename(target)
                sync_folder(folder.checkpoints)
            remove(prepared)
        folder.set_best(0)
        folder.write(COMPLETE_FILE, dumps({**(folder.complete or {}), "best": 0, "metrics": {}}, indent=1) + "\n")


def conclusion(result: Mapping[str, Any]) -> str:
    """Say in a line whether the features became better."""
    difference = result["difference"]
    if difference is None:
        return f"the features are not compared: {result['reason']}; the last weights are kept"
    low, high = difference["low"], difference["high"]
    interval = "" if low is None else f", 95 % interval {low:+.4f} to {high:+.4f}"
    measured = (
        f"accuracy of {NEIGHBORS} nearest neighbors among {result['samples']:,} training samples "
        f"{difference['before']:.4f} → {difference['after']:.4f} ({difference['value']:+.4f}{interval})"
    )
    if result["better"]:
        return f"{measured}: better; continue with: ftaug train CONFIG --from {result['run']}"
    return f"{measured}: not better, so that the initial weights are kept"


def _as_json(difference: Difference) -> dict[str, Any]:
    return {
        "before": difference.first,
        "after": difference.second,
        "value": difference.value,
        "low": difference.low,
        "high": difference.high,
        "p": difference.p,
    }
