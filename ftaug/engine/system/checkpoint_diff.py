"""Compare the tensors of two checkpoints bit by bit."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from ftaug.engine.system.checkpoint import TENSORS


@dataclass(frozen=True)
class TensorDifference:
    """Two tensors of the same name that differ in at least one bit."""

    name: str
    largest: float | None  # absolute difference; None if shape or type differ, or one of them is missing
    relative: float | None  # the same, as a share of the largest absolute value of the first tensor
    what: str = ""  # such as `only in the first`


@dataclass(frozen=True)
class FileDifference:
    """The tensors of one file of both checkpoints, such as `model` or `optimizer`."""

    file: str
    tensors: int  # in either checkpoint
    differing: list[TensorDifference]  # by name

    @property
    def largest(self) -> TensorDifference | None:
        """The tensor with the largest relative difference, or one that cannot be compared; None if none differs."""
        return max(
            self.differing, key=lambda each: float("inf") if each.relative is None else each.relative, default=None
        )


def compare_checkpoints(first: Path, second: Path) -> list[FileDifference]:
    """Compare all tensors of two checkpoints; a file that only one of them has counts with all its tensors."""
    files = {path.name.removesuffix(TENSORS) for folder in (first, second) for path in folder.glob(f"*{TENSORS}")}
    return [_compare_files(name, first / f"{name}{TENSORS}", second / f"{name}{TENSORS}") for name in sorted(files)]


def _compare_files(name: str, first: Path, second: Path) -> FileDifference:
    with ExitStack() as stack:
        files = [stack.enter_context(safe_open(path, "pt")) if path.is_file() else None for path in (first, second)]
        keys = [set() if file is None else set(file.keys()) for file in files]
        names, differing = sorted(keys[0] | keys[1]), []
        for key in names:
            tensors = (
                file.get_tensor(key) if file is not None and key in inside else None
                for file, inside in zip(files, keys, strict=True)
            )
            if (difference := _difference(key, *tensors)) is not None:
                differing.append(difference)
    return FileDifference(name, len(names), differing)


def _difference(name: str, first: Tensor | None, second: Tensor | None) -> TensorDifference | None:
    if first is None or second is None:
        return TensorDifference(name, None, None, f"only in the {'second' if first is None else 'first'}")
    if first.shape != second.shape or first.dtype != second.dtype:
        what = f"{first.dtype} {tuple(first.shape)} and {second.dtype} {tuple(second.shape)}".replace("torch.", "")
        return TensorDifference(name, None, None, what)
    if torch.equal(_bits(first), _bits(second)):
        return None
    largest = (first.double() - second.double()).abs().max().item()
    return TensorDifference(name, largest, largest / max(first.double().abs().max().item(), 1e-45))


def _bits(tensor: Tensor) -> Tensor:
    return tensor.reshape(-1).view(torch.uint8)
