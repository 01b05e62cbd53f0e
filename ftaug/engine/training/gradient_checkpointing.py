"""Gradient checkpointing: recompute the activations of a block in the backward pass instead of storing them.

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


def enable_gradient_checkpointing(backbone: Backbone) -> None:
    """Enable gradient checkpointing for every block of a backbone, in place."""
    for block in blocks(backbone):
        block.forward = partial(_checkpointed_forward, block, block.forward)


def blocks(backbone: Backbone) -> list[nn.Module]:
    """Return the blocks to checkpoint: the modules of the stages before the head, of a sequence its members."""
    modules = dict(backbone.network.named_modules())
    modules_to_checkpoint: list[nn.Module] = []
    for stage in backbone.stages[:-1]:
        for name in stage.modules:
            module = modules.get(name)
            if isinstance(module, nn.Sequential | nn.ModuleList):
                modules_to_checkpoint += [child for child in module if _has_inner_activations(child)]
            elif module is not None and _has_inner_activations(module):
                modules_to_checkpoint.append(module)
    return modules_to_checkpoint


def _has_inner_activations(module: nn.Module) -> bool:
    """Return whether a module has several leaf modules, and so activations between them to save memory on."""
    return sum(1 for child in module.modules() if next(child.children(), None) is None) > 1


def _checkpointed_forward(block: nn.Module, forward: Any, *inputs: Any, **named: Any) -> Any:
    """Run a block, checkpointed if gradients flow through it."""
    if not torch.is_grad_enabled() or not _learns(block, inputs):
        return forward(*inputs, **named)
    return checkpoint(forward, *inputs, use_reentrant=False, context_fn=partial(_contexts, block), **named)


def _learns(block: nn.Module, inputs: Sequence[Any]) -> bool:
    tensors = (*block.parameters(), *(value for value in inputs if isinstance(value, torch.Tensor)))
    return any(tensor.requires_grad for tensor in tensors)


def _contexts(block: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    return nullcontext(), _frozen_statistics(block)


@contextmanager
def _frozen_statistics(block: nn.Module) -> Iterator[None]:
    """Keep BatchNorm statistics unchanged during recomputation, so that a batch is counted once."""
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
