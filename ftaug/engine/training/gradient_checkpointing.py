"""Gradient checkpointing: what a block computed is computed again on the way back, instead of being kept.

Chen et al., Training Deep Nets with Sublinear Memory Cost, 2016.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from ftaug.interfaces.model import Backbone


def recompute(backbone: Backbone) -> None:
    """Let every block of a network be computed twice where it learns, in place."""
    for block in blocks(backbone):
        block.forward = partial(_twice, block, block.forward)


def blocks(backbone: Backbone) -> list[nn.Module]:
    """The modules of the stages but the head; of a sequence its members."""
    modules = dict(backbone.network.named_modules())
    found: list[nn.Module] = []
    for stage in backbone.stages[:-1]:
        for name in stage.modules:
            module = modules.get(name)
            if isinstance(module, nn.Sequential | nn.ModuleList):
                found += [child for child in module if _has_parts(child)]
            elif module is not None and _has_parts(module):
                found.append(module)
    return found


def _has_parts(module: nn.Module) -> bool:
    """Whether a module computes in several steps, so that there is something between them not to keep."""
    return sum(1 for child in module.modules() if next(child.children(), None) is None) > 1


def _twice(block: nn.Module, forward: Any, *inputs: Any, **named: Any) -> Any:
    """The block's answer, kept apart from how it came about where gradients go through it."""
    if not torch.is_grad_enabled() or not _learns(block, inputs):
        return forward(*inputs, **named)
    return checkpoint(forward, *inputs, use_reentrant=False, context_fn=partial(_contexts, block), **named)


def _learns(block: nn.Module, inputs: Sequence[Any]) -> bool:
    tensors = (*block.parameters(), *(one for one in inputs if isinstance(one, torch.Tensor)))
    return any(tensor.requires_grad for tensor in tensors)


def _contexts(block: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _statistics_stay(block)


@contextmanager
def _statistics_stay(block: nn.Module) -> Iterator[None]:
    """BatchNorm takes in what it sees the first time alone."""
    norms = [module for module in block.modules() if isinstance(module, _BatchNorm) and module.training]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked -= 1
