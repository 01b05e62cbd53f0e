"""TODO."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn


class TrainingLength(NamedTuple):
    """How long a run is, in optimizer steps, and how its evaluations went so far."""

    total_steps: int
    epoch_steps: int
    scores: tuple[float, ...] = ()  # the best-metric of each evaluation, turned so that higher is better


def improvements(scores: Iterable[float], min_delta: float) -> list[bool]:
    """Whether each score rose more than `min_delta` above the last that did; one that is not finite never does."""
    best, risen = -math.inf, []
    for score in scores:
        risen.append(math.isfinite(score) and score > best + min_delta)
        best = score if risen[-1] else best
    return risen


@dataclass(frozen=True)
class Stage:
    """A part of a backbone, from stem to head: every parameter belongs to exactly one."""

    name: str
    modules: tuple[str, ...]  # dotted names of modules or parameters below the network
    with_head: bool = False  # behind the last block, such as a norm: `last` and `layer_decay` count it with the head

    def holds(self, name: str) -> bool:
        """Whether a module or parameter lies in it."""
        return any(name == module or name.startswith(f"{module}.") for module in self.modules)


class CannotCut(Exception):
    """Says why a network cannot be cut in two."""


class Divisible(Protocol):
    """A network that parts itself, where what it does cannot be followed from outside."""

    def halves(self, learning: Collection[str]) -> tuple[nn.Module, nn.Module]:
        """What these parameters have no part in, from the input on, and the rest; raises CannotCut.

        One tensor leads over, of one size for every sample. Both share the network's modules.
        """


class Origin(NamedTuple):
    """What a network is built from beside its weights, where that lies in a folder that a setting names."""

    setting: str
    write: Callable[[Path], None]  # write such a folder, without weights


class Construction(NamedTuple):
    """Python source that builds a network without this package, for the script beside an export."""

    imports: tuple[str, ...]  # lines
    packages: tuple[str, ...]  # what to install for them
    code: str  # sets `network`; its state dict has the names of the network's own


@dataclass
class Backbone:
    """A network for the task's classes, not yet loaded with its pretrained weights."""

    network: nn.Module  # from a collated batch, normalised, to logits (batch, classes)
    stages: tuple[Stage, ...]  # from stem to head
    preprocessing: Mapping[str, Any]  # plain JSON values that the modality's verbs understand
    load_pretrained: Callable[[], None]  # fills the network; may download; raises MissingInput, BadData
    facts: Mapping[str, Any] = field(default_factory=dict)  # for people: where the weights come from, what `auto` chose
    save: Callable[[Path], None] | None = None  # write the network as its own library does, into a folder
    origin: Origin | None = None  # a run folder keeps it
    no_weight_decay: tuple[str, ...] = ()  # globs on parameters: embeddings of positions and classes, and the like
    stored: Callable[[], bool] | None = None  # whether its pretrained weights are on this machine; None: it has none
    construction: Construction | None = None  # where its own library builds it


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class PeftModel:
    """What a method made of a network, in place."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    """Its own, by name, which learn from the first step on; each with a parameter beside it, whose stage is theirs."""

    start: Callable[[], None] = nothing
    """Called once the network holds the weights that it starts from; not where a checkpoint fills it."""

    merge: Callable[[], None] = nothing
    """Fold its own parameters into the network's and take them away: the same answers from the network as it was."""

    penalty: Callable[[], Tensor] | None = None  # a scalar, added to what every step makes small

    state: dict[str, Tensor] = field(default_factory=dict)  # what a checkpoint keeps for it beside the network


@dataclass(frozen=True)
class Adapter:
    """What a run with a method learned, apart from the weights beside it, which it left as they were."""

    tensors: Mapping[str, Tensor]
    base: str  # the sha256 of those weights
    method: Any  # as the experiment file has it
    applied: Callable[[Mapping[str, Tensor]], nn.Module]  # the whole model with such tensors
