"""Choose the device, the precision (fp32, bf16, fp16) and threads, each with its reason."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn
from torch.amp.autocast_mode import autocast

from ftaug.config.experiment import Experiment
from ftaug.engine.system import compiler_import, malloc
from ftaug.engine.system.cpu_count import threads_from, usable_cores
from ftaug.errors import ExperimentError, Unavailable

AnyModule = TypeVar("AnyModule", bound=nn.Module)

MANY_CORES = 16
"""Minimum number of CPU cores to augment on the CPU by default."""

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Device:
    """A device with its precision, and the reasons for both."""

    torch: torch.device
    precision: str
    reasons: dict[str, str]
    augments: bool = False  # whether augmentation runs on it where it can

    @property
    def threads(self) -> int:
        """The number of CPU threads that torch uses."""
        return torch.get_num_threads()

    def autocast(self) -> autocast:
        """Return the autocast context of the precision."""
        return autocast(self.torch.type, DTYPES[self.precision], enabled=self.precision != "fp32")


def choose(device: str, precision: str, augment_device: str = "cpu", *, key: str = "train.precision") -> Device:
    """Resolve the device and precision settings; raises Unavailable, ExperimentError.

    `key` is the setting of the precision, for errors.
    """
    reasons = {"threads": threads_from(os.environ.get("OMP_NUM_THREADS"))}
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        reasons["device"] = "a CUDA device is there" if device == "cuda" else "no CUDA device found"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise Unavailable("no CUDA device found; use --device cpu or auto")
    if precision == "auto":
        precision, reasons["precision"] = _cuda_precision() if device.startswith("cuda") else _cpu_precision()
    elif precision == "fp16" and device == "cpu":
        raise ExperimentError(f"{key}: fp16 needs a CUDA device; on a CPU use fp32 or bf16")
    if augment_device == "auto":
        augment_device, reasons["augment_device"] = _augmentation_device(device)
    elif augment_device == "cuda" and device == "cpu":
        raise ExperimentError(
            "data.augment_device: cuda needs the network on a CUDA device; it is on the CPU: use auto or cpu"
        )
    return Device(torch.device(device), precision, reasons, augment_device == "cuda")


def choose_for_evaluation(device: str, experiment: Experiment) -> Device:
    """Return the device in the precision of evaluation, predictions, thresholds and averages."""
    return choose(device, experiment.evaluate.precision, key="evaluate.precision")


def _augmentation_device(device: str) -> tuple[str, str]:
    """Choose where to augment for `auto`, with the reason."""
    if device == "cpu":
        return "cpu", "the network is on the GPU"
    if usable_cores() >= MANY_CORES:
        return "cpu", f"{usable_cores()} CPU cores keep up"
    return "cuda", f"leaves decoding to {usable_cores()} CPU cores"


def _cuda_precision() -> tuple[str, str]:
    """Choose the precision of a GPU for `auto`, with the reason."""
    if torch.cuda.get_device_capability()[0] >= 8:
        return "bf16", "the GPU computes in bf16"
    return "fp16", "the GPU has fp16 units but no bf16 units"


def _cpu_precision() -> tuple[str, str]:
    """Choose the precision of a CPU for `auto`, with the reason."""
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    if "avx512_bf16" in flags or "amx_bf16" in flags:
        return "bf16", "the processor has bf16 units"
    return "fp32", "the processor has no bf16 units"


def prepare_process(device: Device) -> None:
    """Configure torch for the process: deterministic cuDNN, no TF32, number of threads, malloc, optimizers.

    OMP_NUM_THREADS has precedence for the threads. TF32 is off because its products have a mantissa of 10 bits.
    """
    if device.torch.type == "cpu":
        malloc.keep()
    compiler_import.spare()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(usable_cores())
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def describe(device: Device) -> str:
    """Return the human-readable name of the device."""
    if device.torch.type == "cuda":
        return torch.cuda.get_device_name(device.torch)
    return f"CPU, {torch.get_num_threads()} thread{'s' * (torch.get_num_threads() > 1)}"


def in_channels_last(module: AnyModule) -> AnyModule:
    """Convert the weights of 2d convolutions to the channels-last memory format; return the module.

    Converted one by one, because `Module.to` refuses networks with five-dimensional tensors.
    """
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return module
