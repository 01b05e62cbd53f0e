"""Write model.json, which describes a trained model: its task, preprocessing and data."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from ftaug.config.dump import to_plain
from ftaug.config.strict_json import dumps
from ftaug.config.task_fit import labels_learned
from ftaug.engine.loading.data_record import fingerprints
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.sample_cache import Cache
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.run_files import MODEL_FILE, ORIGIN_FOLDER
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.system.storage import remove, storage_errors, sync_folder, sync_tree
from ftaug.engine.training.state import TrainingState
from ftaug.errors import BadData


def write_model_file(state: TrainingState, folder: RunFolder, cache: Cache) -> None:
    """Write model.json: the model, what it is built from, and the settings chosen automatically."""
    chosen = {
        "device": state.device.torch.type,
        "precision": state.device.precision,
        "workers": state.workers,
        "micro_batch": state.micro_batch.samples if state.micro_batch is not None else None,
        "evaluation_precision": state.evaluation_device.precision,
        "threads": state.device.threads,
        "cache": cache.place or "off",
        "augment_device": "cuda" if state.device.augments else "cpu",
    }
    origin = keep_origin(state, folder.path)
    about = {**describe_model(state), **origin, "sample_columns": _sample_columns(state), "chosen": chosen}
    folder.write(MODEL_FILE, dumps(about, indent=1) + "\n")


def describe_model(state: TrainingState) -> dict[str, Any]:
    """Describe a model for model.json: task, preprocessing, target scale, data fingerprints and sources."""
    return {
        "classes": list(state.task.classes),
        "multi_label": state.task.multi_label,
        "activation": state.experiment.loss.fact("activation"),
        "preprocessing": dict(state.backbone.preprocessing),
        "regression": state.task.regression,
        "class_counts": state.counts.tolist(),
        "train_samples": state.splits["train"].epoch_samples,
        **pseudo_labeled(state.splits["train"]),
        **data_task(state),
        "target_mean": state.scale and state.scale.mean,
        "target_std": state.scale and state.scale.std,
        "weights_from": dict(state.backbone.facts),
        "data": fingerprints(state.splits),
        "seed": state.experiment.seed,
        "sources": {name: to_plain(getattr(state.experiment.data, name)) for name in ("train", "val", "test")},
        "labels_learned": labels_learned(state.experiment),
    }


def pseudo_labeled(train: DataSplit) -> dict[str, int]:
    """Count the pseudo-labeled training samples, if there are any."""
    return {} if train.labeled is None else {"pseudo_labeled_samples": len(train) - train.epoch_samples}


def data_task(state: TrainingState) -> dict[str, Any]:
    """Return the task of the data where the objective has outputs of its own."""
    objective = state.experiment.objective
    if objective is None or objective.fact("outputs") is None:
        return {}
    task = state.splits["train"].samples.task
    return {"data_task": {"classes": task.classes, "multi_label": task.multi_label, "regression": task.regression}}


def keep_origin(state: TrainingState, folder: Path) -> dict[str, list[str]]:
    """Copy the files that the backbone is built from into the run folder; return the override that points there."""
    origin = state.backbone.origin
    if origin is None:
        return {}
    place = folder / ORIGIN_FOLDER
    if not place.is_dir():
        fresh = folder / f".tmp-{ORIGIN_FOLDER}"
        with storage_errors(f"cannot write {place}"):
            remove(fresh)
            origin.write(fresh)
            sync_tree(fresh)
            fresh.rename(place)
            sync_folder(folder)
    return {"built_from": [f"backbone.{state.experiment.backbone.name}.{origin.setting}=./{ORIGIN_FOLDER}"]}


def _sample_columns(state: TrainingState) -> list[str]:
    """Return the table columns that a sample takes: two for text pairs, none for images."""
    train = state.splits["train"]
    with suppress(BadData):  # training reports or skips an unreadable sample
        return list(modality_of(state.experiment).cells(train.samples.read(int(train.ids[0]))))
    return []
