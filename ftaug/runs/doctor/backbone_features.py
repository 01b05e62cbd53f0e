"""Compute the features of a pretrained backbone: the outputs of all layers before the head."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.config.experiment import Experiment
from ftaug.data.cache_dirs import cache_folder
from ftaug.engine.loading.batches import BatchRequest, Failure, PreparedDataset, batches, once
from ftaug.engine.loading.prepare import modality_of, prepare_split, training_length
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.workers import processes
from ftaug.engine.system import device as devices
from ftaug.engine.system.device import Device
from ftaug.engine.system.storage import temporary_name
from ftaug.engine.training import unfreeze
from ftaug.engine.training.build import build_model, place_model
from ftaug.engine.training.feature_cache import weights_digest
from ftaug.engine.training.split_network import cut
from ftaug.runs.doctor.scan import Scan
from ftaug.runs.report import console
from ftaug.runs.report.progress_bar import ProgressBar

FEATURES_FILE = "doctor.npy"

MOST_VALUES = 4096
"""Number of values of a sample from which feature maps are averaged over their places."""


def backbone_features(experiment: Experiment, scan: Scan, device: str) -> np.ndarray:
    """Return the features of the rows of a scan, float32 (n, values); raises CannotCut, BadSample.

    They are stored on disk, and read from there as long as samples, weights and preprocessing are the same.
    """
    chosen = devices.choose_for_evaluation(device, experiment)
    devices.prepare_process(chosen)
    splits = {purpose: scan.readable(purpose) for purpose in scan.splits}
    prefix, preprocessing = _frozen_layers(experiment, splits["train"], chosen)
    path = cache_folder() / "features" / _key(experiment, scan, prefix, preprocessing, chosen) / FEATURES_FILE
    if (stored := _load(path, len(scan))) is not None:
        return stored
    with ProgressBar(len(scan), 0, unit="feature") as progress_bar:
        features = np.concatenate(
            [
                _compute(experiment, prepare_split(experiment, split, (), preprocessing), prefix, chosen, progress_bar)
                for split in splits.values()
                if len(split)
            ]
        )
    _save(features, path)
    return features


def _key(
    experiment: Experiment, scan: Scan, prefix: nn.Module, preprocessing: Mapping[str, object], device: Device
) -> str:
    """Compute the cache key: a digest of everything that the features depend on."""
    digest = hashlib.sha256(weights_digest(prefix) + scan.digests.tobytes())
    factors = [str(prefix), dict(preprocessing), modality_of(experiment).cache_version]
    factors += [device.torch.type, device.precision, torch.__version__]
    digest.update(json.dumps(factors, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


def _load(path: Path, rows: int) -> np.ndarray | None:
    """Read stored features; None if there are none or the file is damaged."""
    try:
        features = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return features if len(features) == rows else None


def _save(features: np.ndarray, path: Path) -> None:
    """Store features; without room or permission to write nothing is stored, and a note says so."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_name(path)
        try:
            with temporary.open("wb") as file:
                np.save(file, features)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        console.say(f"the features are not stored for the next call: {path.parent}: {error.strerror}")


def _compute(
    experiment: Experiment, data: PreparedDataset, prefix: nn.Module, device: Device, progress_bar: ProgressBar
) -> np.ndarray:
    """Compute the features of the samples of a split: float32 (n, values)."""
    values: np.ndarray | None = None
    requests = once(len(data.split), experiment.evaluate.batch_size or experiment.data.batch_size, data.sizes)
    for batch in batches(data, requests, processes(experiment.data.workers), pin=False):
        output = _features(prefix, batch.inputs, device)
        values = np.empty((len(data.split), output.shape[1]), np.float32) if values is None else values
        values[batch.request.ids] = output
        for _ in batch.request.ids:
            progress_bar.advance()
        progress_bar.status(data.split.purpose)
    assert values is not None
    return values


def _frozen_layers(experiment: Experiment, train: DataSplit, device: Device) -> tuple[nn.Module, Mapping[str, object]]:
    """Return the pretrained layers before the head, and the preprocessing of their input; raises CannotCut."""
    head_only = replace(experiment, unfreeze=("head",), method=None)
    backbone, model = build_model(head_only, train.task)
    plan = unfreeze.plan(backbone, head_only, training_length(head_only, len(train)))
    backbone.load_pretrained()
    place_model(model, device).eval()
    data = prepare_split(experiment, train, (), backbone.preprocessing)
    example = data[BatchRequest(np.arange(min(2, len(train))), None, 0, 0, 1.0)]
    if isinstance(example, Failure):
        raise example.error
    return cut(model, plan, 0, example.inputs.to(device.torch)).prefix, backbone.preprocessing


@torch.inference_mode()
def _features(prefix: nn.Module, inputs: Tensor, device: Device) -> np.ndarray:
    """Return the features of a batch: float32 (batch, values)."""
    with device.autocast():
        output = prefix(inputs.to(device.torch)).float()
    if output[0].numel() > MOST_VALUES and output.ndim > 2:
        output = output.mean(dim=tuple(range(2, output.ndim)))
    return np.asarray(output.flatten(1).cpu().numpy())
