"""Measure what a backbone costs: its parameters, the time of a forward pass, and the license of its weights."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from ftaug.components.exporters import timing
from ftaug.config.experiment import Experiment
from ftaug.engine.loading.batches import BatchRequest, Failure, to_device
from ftaug.engine.loading.prepare import prepare_split
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system import device as devices
from ftaug.engine.system.device import Device
from ftaug.engine.training.build import build_model, place_model

SAMPLES = 16
"""Number of samples of the batch that is timed."""

ROUNDS = 15


@dataclass(frozen=True)
class Cost:
    """The cost of a backbone."""

    milliseconds: float  # of a forward pass, per sample; on a CPU of one thread
    megabytes: float  # of its parameters, as they are in memory
    license: str | None  # of its weights; None if unknown


def measure(experiment: Experiment, split: DataSplit, device_name: str) -> Cost:
    """Build the backbone with its pretrained weights and measure its cost on samples of a split.

    Raises ExperimentError, Unavailable, MissingInput, BadData, BadSample.
    """
    device = devices.choose_for_evaluation(device_name, experiment)
    devices.prepare_process(device)
    backbone, model = build_model(experiment, split.task)
    backbone.load_pretrained()
    place_model(model, device).eval()
    count = min(SAMPLES, len(split))
    batch = prepare_split(experiment, split, (), backbone.preprocessing)[
        BatchRequest(np.arange(count), None, 0, 0, 1.0)
    ]
    if isinstance(batch, Failure):
        raise batch.error
    inputs = to_device(batch.inputs, device.torch)

    @torch.inference_mode()
    def forward() -> None:
        with device.autocast():
            model(inputs)

    size = sum(each.numel() * each.element_size() for each in backbone.network.parameters())
    license = backbone.facts.get("license")
    return Cost(_milliseconds(forward, device) / count, size / 1e6, None if license is None else str(license))


def _milliseconds(forward: Callable[[], None], device: Device) -> float:
    """Return the fewest milliseconds of a forward pass: CPU time of one thread, or on a GPU the time that passes."""
    if device.torch.type == "cpu":
        with timing.one_thread():
            return timing.best([forward])[0]
    times = []
    for _ in range(ROUNDS):
        torch.cuda.synchronize(device.torch)
        start = time.perf_counter()
        forward()
        torch.cuda.synchronize(device.torch)
        times.append(time.perf_counter() - start)
    return 1000 * min(times)
