"""Find the last layer of a network whose output has a spatial grid, with its activations and gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ftaug.errors import ExperimentError, did_you_mean
from ftaug.interfaces.explanation import Attribution, CannotExplain, ExplainedOutput

CELLS = 4
"""Rows and columns of a grid that is fine enough to show a place."""

PREFIX_PARAMETERS = ("cls_token", "class_token", "dist_token", "reg_token", "register_tokens")


@dataclass(frozen=True)
class Features:
    """Activations of a layer for one sample, and the gradient of the explained output with respect to them."""

    layer: str
    values: Tensor  # (rows, columns, channels)
    gradient: Tensor


def features(output: ExplainedOutput, sample: Tensor, layer: str = "auto") -> Features:
    """Return the features of a layer; of `auto`, the last one with a grid that the output depends on.

    Raises CannotExplain if there is no such layer, ExperimentError for an unknown one.
    """
    recorded = _record(output, sample, candidates(output, layer))
    size = (sample.shape[-2], sample.shape[-1])
    with_grid = [(name, grid) for name, values, _ in recorded if (grid := grid_of(output, values, size))]
    by_name = {name: (values, gradient) for name, values, gradient in recorded}
    usable = [(name, grid) for name, grid in with_grid if bool(_cells(by_name[name][1], grid).any())]
    if not usable:
        raise CannotExplain("needs a layer with a spatial grid, and the network shows none")
    fine = [(name, grid) for name, grid in usable if min(grid.rows, grid.columns) >= CELLS]
    name, grid = (fine or usable)[-1]
    values, gradient = by_name[name]
    return Features(name, _cells(values, grid), _cells(gradient, grid))


def summed(products: Tensor) -> Attribution:
    """Return the map of weighted features, (rows, columns, channels)."""
    return Attribution(products.double().sum(dim=2).cpu().numpy(), smooth=True)


@dataclass(frozen=True)
class Grid:
    """Layout of features of one sample: NCHW, NHWC, or tokens after some others that have no place."""

    rows: int
    columns: int
    channels_first: bool = False
    prefix: int | None = None  # number of tokens before those of the grid; None: not tokens


def _cells(values: Tensor, grid: Grid) -> Tensor:
    """Arrange features of one sample as (rows, columns, channels)."""
    values = values.detach()[0]
    if grid.prefix is not None:
        return values[grid.prefix :].reshape(grid.rows, grid.columns, -1)
    return values.permute(1, 2, 0) if grid.channels_first else values


def candidates(output: ExplainedOutput, layer: str) -> list[str]:
    """Return the modules among which the layer is chosen: those of the stages, and layers without weights after them.

    `layer` is `auto`, a stage, or a module. Raises ExperimentError for an unknown one.
    """
    modules = dict(output.network.named_modules())
    stages = {stage.name: [name for name in stage.modules if name in modules] for stage in output.stages[:-1]}
    if layer in stages:
        return stages[layer]
    if layer != "auto":
        if layer in modules and layer:
            return [layer]
        known = [*stages, *filter(None, modules)]
        raise ExperimentError(f"layer: the network has no stage or module '{layer}'{did_you_mean(layer, known)}")
    named = [name for names in stages.values() for name in names]
    parents = {name.rpartition(".")[0] for name in named}
    return [*named, *_without_weights(modules, parents)]


def _without_weights(modules: dict[str, nn.Module], parents: set[str]) -> Iterator[str]:
    """Yield activations and poolings beside the modules of stages; adaptive pooling would make up a grid."""
    for name, module in modules.items():
        weights = next(module.parameters(), None)
        adaptive = "Adaptive" in type(module).__name__
        if name and name.rpartition(".")[0] in parents and weights is None and not adaptive:
            yield name


def _record(output: ExplainedOutput, sample: Tensor, names: Sequence[str]) -> list[tuple[str, Tensor, Tensor]]:
    """Run a sample forward and back; return each module's name, output and gradient, in order of execution."""
    recorded: dict[str, Tensor] = {}
    modules = dict(output.network.named_modules())

    def hook(name: str) -> Any:
        def record(module: nn.Module, inputs: Any, values: Any) -> Any:
            first = values[0] if isinstance(values, tuple) and values else values
            if not isinstance(first, Tensor) or not first.requires_grad:
                return None
            recorded.pop(name, None)
            recorded[name] = first
            # layers that work in place must not change what was recorded
            return first.clone() if first is values else (first.clone(), *values[1:])

        return record

    handles = [modules[name].register_forward_hook(hook(name)) for name in names]
    try:
        with torch.enable_grad():
            score = output.score(sample.detach().float().requires_grad_()).sum()
    finally:
        for handle in handles:
            handle.remove()
    if not recorded:
        return []
    gradients = torch.autograd.grad(score, list(recorded.values()), allow_unused=True)
    return [
        (name, values, gradient)
        for (name, values), gradient in zip(recorded.items(), gradients, strict=True)
        if gradient is not None
    ]


def grid_of(output: ExplainedOutput, values: Tensor, size: tuple[int, int]) -> Grid | None:
    """Return the layout of features of one sample, for an input of this size; None if they have no grid."""
    if values.shape[0] != 1:  # windows or other parts of the sample along the batch
        return None
    if values.ndim == 4:
        return _image_grid(values, size, _head_width(output))
    if values.ndim == 3:
        return token_grid(values.shape[1], size, prefix_tokens(output.network))
    return None


def _image_grid(values: Tensor, size: tuple[int, int], width: int | None) -> Grid | None:
    _, first, second, third = values.shape
    grids = [Grid(second, third, channels_first=True), Grid(first, second)]
    channels = [first, third]
    fitting = [
        (count != width, grid)
        for grid, count in zip(grids, channels, strict=True)
        if _covers(grid.rows, grid.columns, size)
    ]
    return min(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _covers(rows: int, columns: int, size: tuple[int, int]) -> bool:
    """Whether a grid may be that of an input: not larger, and of the same aspect ratio up to rounding."""
    height, width = size
    return 2 <= rows <= height and 2 <= columns <= width and abs(rows * width - columns * height) < max(size)


def token_grid(tokens: int, size: tuple[int, int], prefix: int) -> Grid | None:
    """Return the grid of a sequence of tokens with or without the prefix; None if no patch size gives it."""
    height, width = size
    for first in dict.fromkeys((prefix, 0)):
        for patch in range(1, min(size) // 2 + 1):
            if (height // patch) * (width // patch) == tokens - first:
                return Grid(height // patch, width // patch, prefix=first)
    return None


def prefix_tokens(network: nn.Module) -> int:
    """Return the number of tokens before those of the patches, such as the class token."""
    declared = getattr(network, "num_prefix_tokens", None)
    if isinstance(declared, int):
        return declared
    parameters = dict(network.named_parameters(recurse=False))
    return sum(parameters[name].shape[1] for name in PREFIX_PARAMETERS if name in parameters)


def _head_width(output: ExplainedOutput) -> int | None:
    """Return the number of features that the head takes."""
    parameters = dict(output.network.named_parameters())
    for name, tensor in parameters.items():
        if output.stages and output.stages[-1].holds(name) and tensor.ndim >= 2:
            return tensor.shape[1]
    return None
