"""Naming the parts of a network from stem to head."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ftaug.interfaces import Stage

if TYPE_CHECKING:
    from torch import nn

Rule = tuple[str, str]
"""A regular expression for the start of a parameter's dotted name, and the name of its stage (`\\1` is a group)."""


def by_rules(parameters: Iterable[str], rules: Sequence[Rule]) -> tuple[Stage, ...]:
    """Sort parameters into stages by the first rule that matches; stages are in the order of their first parameter."""
    found: dict[str, dict[str, None]] = {}
    for parameter in parameters:
        module, stage = _place(parameter, rules)
        found.setdefault(stage, {})[module] = None
    return tuple(Stage(name, tuple(modules)) for name, modules in found.items())


def _place(parameter: str, rules: Sequence[Rule]) -> tuple[str, str]:
    """Return the part of the dotted name that a rule matches, and the stage that the rule gives it."""
    for pattern, stage in rules:
        if match := re.match(rf"(?:{pattern})(?=\.|$)", parameter):
            return match[0], match.expand(stage)
    raise LookupError(f"no stage for parameter {parameter}")


def pooled(features: nn.Sequential) -> tuple[Rule, ...]:
    """Rules that part a plain sequence of layers into block1, block2 … at its max-poolings."""
    block, rules = 1, []
    for index, layer in features.named_children():
        if type(layer).__name__ == "MaxPool2d":
            block += 1
        else:
            rules.append((rf"features\.{index}", f"block{block}"))
    return tuple(rules)
