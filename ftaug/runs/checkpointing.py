"""Save the training state of a run as a checkpoint, and restore it to continue the run."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ftaug import __version__
from ftaug.engine.system import checkpoint
from ftaug.engine.system.ranks import Ranks
from ftaug.engine.system.run_files import path_of
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.training.fit import Progress
from ftaug.engine.training.optimizer_state import load_optimizer, optimizer_tensors
from ftaug.engine.training.peft import restore
from ftaug.engine.training.sharding import all_sharded_like, gathered
from ftaug.engine.training.state import TrainingState
from ftaug.errors import BadData, DataChanged, ExperimentError
from ftaug.runs.model_file import describe_model
from ftaug.runs.trained_model import load_weights


def save_checkpoint(state: TrainingState, progress: Progress, folder: RunFolder) -> None:
    """Save a checkpoint of the current step, update `best` and prune older checkpoints; rank 0 writes it."""
    progress.scaler = state.scaler.state_dict()
    tensors = {"model": state.model.network.state_dict(), "optimizer": optimizer_tensors(state.optimizer)}
    if state.average is not None:
        tensors["ema"] = state.average.tensors
    if state.method.state:
        tensors["method"] = state.method.state
    if state.means is not None:
        tensors["means"] = state.means.tensors
    tensors = {name: _gathered(content, state.ranks) for name, content in tensors.items()}
    if not state.ranks.world.is_first:
        return
    metadata = {
        "progress": asdict(progress),
        "metrics": folder.metrics_text(),
        "digest": folder.digest,
        "data": _fingerprints(state),
        "conditions": _conditions(state),
    }
    checkpoint.save(folder.checkpoints, progress.step, tensors, metadata, describe_model(state))
    if progress.best_step == progress.step:
        folder.set_best(progress.step)  # before pruning: another process may be reading the previous best
    kept_steps = (progress.best_step, progress.rollback_step)
    checkpoint.prune(folder.checkpoints, keep=[step for step in kept_steps if step is not None])


def load_checkpoint(state: TrainingState, folder: RunFolder, path: Path) -> tuple[Progress, str]:
    """Restore the training state and the metrics from a checkpoint; return the progress and a note for the user.

    Raises DataChanged, ExperimentError, BadData.
    """
    tensors, metadata = checkpoint.load(path)
    if metadata["digest"] != folder.digest:
        raise ExperimentError(f"{path}: belongs to another experiment; use --fresh or another --run-dir")
    if metadata["data"] != _fingerprints(state):
        raise DataChanged(f"{folder.path}: the data changed; restore them, or start over with --fresh")
    progress = _load_state(state, path, tensors, metadata)
    folder.restore_metrics(metadata["metrics"])
    if progress.best_step is not None:
        folder.set_best(progress.best_step)
    recorded = metadata["conditions"]
    changed = [
        f"{name} {recorded[name]} → {now}" for name, now in _conditions(state).items() if recorded.get(name, now) != now
    ]
    note = f"continued at step {progress.step}"
    return progress, f"{note}; not bit for bit the same run: {', '.join(changed)}" if changed else note


def _load_state(
    state: TrainingState, path: Path, tensors: Mapping[str, dict[str, Tensor]], metadata: Mapping[str, Any]
) -> Progress:
    """Load weights, optimizer, average and gradient scaler; return the progress. Raises BadData."""
    network = state.model.network
    load_weights(network, all_sharded_like(tensors["model"], network.state_dict()), path)
    try:
        load_optimizer(state.optimizer, tensors["optimizer"])
        if state.average is not None:
            state.average.load(all_sharded_like(tensors["ema"], state.average.tensors))
        restore(state.method, network, tensors.get("method", {}))
        if state.means is not None:
            state.means.load(tensors["means"])
        progress = Progress.from_json(metadata["progress"])
        if progress.scaler:
            state.scaler.load_state_dict(progress.scaler)
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"{path}: was not written by this version of ftaug ({error}); use --fresh") from error
    return progress


def roll_back(state: TrainingState, progress: Progress, checkpoints: Path) -> None:
    """Return to weights, optimizer and average of the checkpoint of `progress.rollback_step`; raises BadData."""
    assert progress.rollback_step is not None
    path = path_of(checkpoints, progress.rollback_step)
    tensors, metadata = checkpoint.load(path)
    _load_state(state, path, tensors, metadata)


def _gathered(tensors: Mapping[str, Tensor], ranks: Ranks) -> dict[str, Tensor]:
    """Gather sharded tensors on rank 0, one after another; the other processes keep none."""
    whole = {}
    for name, tensor in tensors.items():
        value = gathered(tensor)
        if ranks.world.is_first:
            whole[name] = value.cpu() if value is not tensor else value
    return whole


def checkpoint_size(state: TrainingState) -> int:
    """Estimate the size of a checkpoint in bytes, without the state of a PEFT method."""
    weights = list(state.model.network.state_dict().values())
    average = state.average.tensors.values() if state.average else ()
    trainable = [p for group in state.optimizer.param_groups for p in group["params"]]
    tensors = [*weights, *trainable, *trainable, *average]  # Adam keeps two values per trainable weight
    return sum(t.numel() * t.element_size() for t in tensors)


def _fingerprints(state: TrainingState) -> dict[str, str]:
    return {purpose: split.fingerprint for purpose, split in state.splits.items() if purpose != "test"}


def _conditions(state: TrainingState) -> dict[str, Any]:
    """Collect what bitwise reproducibility depends on besides the experiment: versions, device, precision, threads."""
    return {
        "ftaug": __version__,
        "torch": torch.__version__,
        "device": state.device.torch.type,
        "precision": state.device.precision,
        "evaluation precision": state.evaluation_device.precision,
        "threads": torch.get_num_threads(),
        "augment_device": "cuda" if state.device.augments else "cpu",
        "micro_batch": state.epochs.micro,
    }
