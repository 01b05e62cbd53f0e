"""Copies of models in which submodules are replaced and all others shared."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TypeVar

from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def with_submodules(module: Module, instead: Mapping[str, nn.Module]) -> Module:
    """Return a shallow copy of a module with the submodules of these dotted names replaced; all others are shared."""
    for name, submodule in instead.items():
        module = _with_submodule(module, name, submodule)
    return module


def _with_submodule(module: Module, name: str, instead: nn.Module) -> Module:
    first, _, rest = name.partition(".")
    bare = copy.copy(module)
    child = _with_submodule(module.get_submodule(first), rest, instead) if rest else instead
    bare._modules = {**module._modules, first: child}
    return bare
