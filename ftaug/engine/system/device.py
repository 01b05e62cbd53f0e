"""Where a run computes and in which precision, each choice with its reason."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn
from torch.amp.autocast_mode import autocast

from ftaug.config.experiment import Experiment
from ftaug.engine.system import malloc
from ftaug.engine.system.cpu_count import threads_from, usable_cores
from ftaug.errors import ExperimentError, Unavailable

AnyModule = TypeVar("AnyModule", bound=nn.Module)

MANY_CORES = 16
"""Processor cores from which on augmentation is left to them."""

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Device:
    """A device and a precision, and why these."""

    torch: torch.device
    precision: str
    reasons: dict[str, str]
    augments: bool = False  # whether it does what it can of the augmentation

    @property
    def threads(self) -> int:
        """How many threads compute on the processor."""
        return torch.get_num_threads()

    def autocast(self) -> autocast:
        """The context in which the network runs."""
        return autocast(self.torch.type, DTYPES[self.precision], enabled=self.precision != "fp32")


def choose(device: str, precision: str, augment_on: str = "cpu", *, key: str = "train.precision") -> Device:
    """Turn what the user asked for into a device and the precision that a key sets; raises Unavailable."""
    reasons = {"threads": threads_from(os.environ.get("OMP_NUM_THREADS"))}
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
        reasons["device"] = "a CUDA device is there" if device == "cuda" else "no CUDA device is there"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise Unavailable("device cuda is not there: PyTorch sees no CUDA device; use --device cpu or auto")
    if precision == "auto":
        precision, reasons["precision"] = _cuda_precision() if device.startswith("cuda") else _cpu_precision()
    elif precision == "fp16" and device == "cpu":
        raise ExperimentError(f"{key}: fp16 needs a CUDA device; on a CPU use fp32 or bf16")
    if augment_on == "auto":
        augment_on, reasons["augment_on"] = _augments_on(device)
    elif augment_on == "cuda" and device == "cpu":
        raise ExperimentError(
            "data.augment_on: cuda needs the network on a CUDA device; it is on the CPU: use auto or cpu"
        )
    return Device(torch.device(device), precision, reasons, augment_on == "cuda")


def choose_for_evaluation(device: str, experiment: Experiment) -> Device:
    """The device with the precision of everything that is reported: evaluation, predictions, thresholds, averages."""
    return choose(device, experiment.evaluate.precision, key="evaluate.precision")


def _augments_on(device: str) -> tuple[str, str]:
    if device == "cpu":
        return "cpu", "the network is there"
    if usable_cores() >= MANY_CORES:
        return "cpu", f"{usable_cores()} processor cores keep up"
    return "cuda", f"leaves decoding to {usable_cores()} processor cores"


def _cuda_precision() -> tuple[str, str]:
    if torch.cuda.get_device_capability()[0] >= 8:
        return "bf16", "the GPU computes in bf16"
    return "fp16", "the GPU has fp16 units but none for bf16"


def _cpu_precision() -> tuple[str, str]:
    flags = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    if "avx512_bf16" in flags or "amx_bf16" in flags:
        return "bf16", "the processor has bf16 units"
    return "fp32", "the processor has no bf16 units"


def prepare_process(device: Device) -> None:
    """Set what holds for the whole process.

    Threads (unless OMP_NUM_THREADS does), memory that is kept, the same result every time, and fp32 without TF32, whose
    products have 10 bits of mantissa.
    """
    if device.torch.type == "cpu":
        malloc.keep()
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(usable_cores())
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def describe(device: Device) -> str:
    """The device for a person."""
    if device.torch.type == "cuda":
        return torch.cuda.get_device_name(device.torch)
    return f"CPU, {torch.get_num_threads()} thread{'s' * (torch.get_num_threads() > 1)}"


def in_channels_last(module: AnyModule) -> AnyModule:
    """Lay the weights of convolutions as their kernels want them; returns the module.

    Done one by one, for `Module.to` refuses networks that hold tensors of five dimensions.
    """
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return module
