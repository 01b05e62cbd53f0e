"""Compute the features of a pretrained backbone: the outputs of all layers before the head."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.batches import BatchRequest, Failure, batches, once
from ftaug.engine.loading.prepare import prepare_split, training_length
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.workers import processes
from ftaug.engine.system import device as devices
from ftaug.engine.system.device import Device
from ftaug.engine.training import unfreeze
from ftaug.engine.training.build import build_model, place_model
from ftaug.engine.training.split_network import cut
from ftaug.errors import ExperimentError
from ftaug.interfaces.model import CannotCut
from ftaug.runs.report.progress_bar import ProgressBar

MOST_VALUES = 4096
"""Number of values of a sample from which feature maps are averaged over their places."""


def backbone_features(experiment: Experiment, splits: Mapping[str, DataSplit], device: str) -> dict[str, np.ndarray]:
    """Return the features of the samples of each split: float32 (n, values); raises ExperimentError, BadSample."""
    chosen = devices.choose_for_evaluation(device, experiment)
    devices.prepare_process(chosen)
    prefix, preprocessing = _frozen_layers(experiment, splits["train"], chosen)
    result = {}
    with ProgressBar(sum(map(len, splits.values())), 0, unit="feature") as progress_bar:
        for purpose, split in splits.items():
            data = prepare_split(experiment, split, (), preprocessing)
            values: np.ndarray | None = None
            requests = once(len(split), experiment.evaluate.batch_size or experiment.data.batch_size, data.sizes)
            for batch in batches(data, requests, processes(experiment.data.workers), pin=False):
                output = _features(prefix, batch.inputs, chosen)
                values = np.empty((len(split), output.shape[1]), np.float32) if values is None else values
                values[batch.request.ids] = output
                for _ in batch.request.ids:
                    progress_bar.advance()
                progress_bar.status(purpose)
            assert values is not None
            result[purpose] = values
    return result


def _frozen_layers(experiment: Experiment, train: DataSplit, device: Device) -> tuple[nn.Module, Mapping[str, object]]:
    """Return the pretrained layers before the head, and the preprocessing of their input."""
    head_only = replace(experiment, unfreeze=("head",), method=None)
    backbone, model = build_model(head_only, train.task)
    plan = unfreeze.plan(backbone, head_only, training_length(head_only, len(train)))
    backbone.load_pretrained()
    place_model(model, device).eval()
    data = prepare_split(experiment, train, (), backbone.preprocessing)
    example = data[BatchRequest(np.arange(min(2, len(train))), None, 0, 0, 1.0)]
    if isinstance(example, Failure):
        raise example.error
    try:
        return cut(model, plan, 0, example.inputs.to(device.torch)).prefix, backbone.preprocessing
    except CannotCut as reason:
        text = f"--labels: the features of {experiment.backbone.name} cannot be computed: {reason}"
        raise ExperimentError(f"{text}; use a folder of `ftaug train --folds`") from None


@torch.inference_mode()
def _features(prefix: nn.Module, inputs: Tensor, device: Device) -> np.ndarray:
    """Return the features of a batch: float32 (batch, values)."""
    with device.autocast():
        output = prefix(inputs.to(device.torch)).float()
    if output[0].numel() > MOST_VALUES and output.ndim > 2:
        output = output.mean(dim=tuple(range(2, output.ndim)))
    return np.asarray(output.flatten(1).cpu().numpy())
