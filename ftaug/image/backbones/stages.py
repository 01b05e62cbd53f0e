"""Split the parameters of a network into named stages, from stem to head."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ftaug.interfaces.model import Stage

if TYPE_CHECKING:
    from torch import nn

Rule = tuple[str, str]
"""A regular expression for the start of a parameter's dotted name, and the name of its stage (`\\1` is a group)."""


def by_rules(network: nn.Module, rules: Sequence[Rule], with_head: Collection[str] = ()) -> tuple[Stage, ...]:
    """Assign a network's parameters to stages, each by the first rule that matches.

    `with_head` names the stages that are treated as a part of the head.
    """
    stages = cover({name: _stage(name, rules) for name, _ in network.named_parameters()})
    return tuple(replace(stage, with_head=stage.name in with_head) for stage in stages)


def _stage(parameter: str, rules: Sequence[Rule]) -> str:
    for pattern, stage in rules:
        if match := re.match(rf"(?:{pattern})(?=\.|$)", parameter):
            return match.expand(stage)
    raise LookupError(f"no stage for parameter {parameter}")


def pooled(features: nn.Sequential) -> tuple[Rule, ...]:
    """Return rules that split a plain sequence of layers into block1, block2 … at its max-pooling layers."""
    block, rules = 1, []
    for index, layer in features.named_children():
        if type(layer).__name__ == "MaxPool2d":
            block += 1
        else:
            rules.append((rf"features\.{index}", f"block{block}"))
    return tuple(rules)


def cover(stage_of: Mapping[str, str]) -> tuple[Stage, ...]:
    """Describe each stage by the largest modules that lie wholly in it; stages are in order of first occurrence."""
    within: dict[str, set[str]] = {}
    for name, stage in stage_of.items():
        for prefix in prefixes(name):
            within.setdefault(prefix, set()).add(stage)
    modules: dict[str, dict[str, None]] = {}
    for name, stage in stage_of.items():
        whole = next(prefix for prefix in prefixes(name) if within[prefix] == {stage})
        modules.setdefault(stage, {})[whole] = None
    return tuple(Stage(stage, tuple(covered)) for stage, covered in modules.items())


def prefixes(name: str) -> list[str]:
    """Return the prefixes of a dotted name: `a`, `a.b`, `a.b.c` for `a.b.c`."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def by_groups(groups: Sequence[Sequence[str]], head: Iterable[str]) -> tuple[Stage, ...]:
    """Turn groups of parameters, ordered from the input on, into stages named after their modules; the head is last.

    Other parameters in the head's group become a stage that is treated as a part of the head.
    """
    group_of = {name: str(index) for index, group in enumerate(groups) for name in group}
    last = dict.fromkeys(head, "head")
    of_head = {group_of[name] for name in last}
    stages = cover({name: group for name, group in group_of.items() if name not in last} | last)
    named: list[Stage] = []
    for stage in stages[:-1]:
        parameters = [name for name, group in group_of.items() if group == stage.name and name not in last]
        name = _name(stage.modules, parameters) if named else "stem"
        taken = name in {other.name for other in named} | {"head"}
        with_head = bool(named) and stage.name in of_head
        named.append(Stage(f"{name}_{len(named)}" if taken else name, stage.modules, with_head))
    return (*named, stages[-1])


def _name(modules: Sequence[str], parameters: Sequence[str]) -> str:
    """Name a stage after the largest of its modules: `block3` for blocks.3, `norm` for head.norm."""
    largest = max(
        modules, key=lambda module: sum(name == module or name.startswith(f"{module}.") for name in parameters)
    )
    words: list[str] = []
    for part in largest.split("."):
        if not part.isdigit():
            words.append(part)
        elif words[-1][-1].isdigit():
            words[-1] = f"{words[-1]}_{part}"
        else:
            words[-1] = f"{words[-1].removesuffix('s')}{part}"
    numbered = [word for word in words if re.search(r"\d", word)]
    return numbered[0] if numbered else words[-1]


def by_position(parameters: Iterable[str]) -> list[list[str]]:
    """Group parameters by their first numbered module, for networks without a `group_matcher`.

    Parameters after the last numbered module form one group.
    """
    groups: dict[str, list[str]] = {"": []}
    for name in parameters:
        numbered = (prefix for prefix in prefixes(name) if re.search(r"\d", prefix))
        unnumbered = "" if len(groups) == 1 else prefixes(name)[0]
        groups.setdefault(next(numbered, unnumbered), []).append(name)
    last = max((index for index, key in enumerate(groups) if re.search(r"\d", key)), default=len(groups) - 1)
    ordered = list(groups.values())
    behind = [name for group in ordered[last + 1 :] for name in group]
    return [group for group in (*ordered[: last + 1], behind) if group]
