"""Model interface: backbones, their stages from stem to head, and parameter-efficient fine-tuning (PEFT)."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn


class TrainingLength(NamedTuple):
    """Length of a run in optimizer steps, and the scores of its evaluations so far; the input of schedules."""

    total_steps: int
    epoch_steps: int
    scores: tuple[float, ...] = ()  # `evaluate.best` metric of each evaluation, sign-adjusted: higher is better


def improvements(scores: Iterable[float], min_delta: float) -> list[bool]:
    """Whether each score exceeds the best so far by more than `min_delta`; non-finite scores never do.

    Only an improvement updates the best score, as in early stopping and ReduceLROnPlateau.
    """
    best, improved = -math.inf, []
    for score in scores:
        improved.append(math.isfinite(score) and score > best + min_delta)
        best = score if improved[-1] else best
    return improved


@dataclass(frozen=True)
class Stage:
    """A stage of a backbone, the unit of unfreezing and layer-wise learning rates.

    Stages are ordered from stem to head; every parameter belongs to exactly one.
    """

    name: str
    modules: tuple[str, ...]  # dotted names of modules or parameters, relative to the network
    with_head: bool = (
        False  # after the last block, such as a final norm: `last` and `layer_decay` count it with the head
    )

    def holds(self, name: str) -> bool:
        """Whether a module or parameter, by its dotted name, belongs to the stage."""
        return any(name == module or name.startswith(f"{module}.") for module in self.modules)


class CannotCut(Exception):
    """Raised when a network cannot be split into a frozen feature extractor and a trainable rest."""


class Divisible(Protocol):
    """A network that implements its own split for feature caching, where tracing its forward pass is impossible."""

    def halves(self, learning: Collection[str]) -> tuple[nn.Module, nn.Module]:
        """Split into a frozen feature extractor and the rest, which holds the `learning` parameters; raises CannotCut.

        A single tensor, of the same shape for every sample, connects the two. Both share the network's modules.
        """


class Origin(NamedTuple):
    """Files a network is built from besides its weights, such as a configuration folder that a setting names."""

    setting: str
    write: Callable[[Path], None]  # write such a folder without weights


class Construction(NamedTuple):
    """Python source that builds the network without ftaug, for the inference script beside an export."""

    imports: tuple[str, ...]  # lines
    packages: tuple[str, ...]  # pip packages they need
    code: str  # defines `network`; its state dict keys equal those of the original network


@dataclass
class Backbone:
    """A network with a new head for the task, before its pretrained weights are loaded."""

    network: nn.Module  # maps a normalized, collated batch to logits (batch, classes)
    stages: tuple[Stage, ...]  # from stem to head
    preprocessing: Mapping[str, Any]  # JSON values interpreted by the modality
    load_pretrained: Callable[[], None]  # load the weights; may download; raises MissingInput, BadData
    facts: Mapping[str, Any] = field(default_factory=dict)  # human-readable: source of the weights, choices of `auto`
    save: Callable[[Path], None] | None = None  # save in the format of its library, into a folder
    origin: Origin | None = None  # copied into the run folder
    no_weight_decay: tuple[str, ...] = ()  # glob patterns of parameter names, such as position embeddings
    stored: Callable[[], bool] | None = None  # whether its weights are on this machine; None: no pretrained weights
    construction: Construction | None = None  # set if a library builds the network


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True)
class PeftModel:
    """A PEFT method applied to a network in place, such as LoRA."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters the method adds, trainable from the first step; maps each to a neighboring parameter of its stage."""

    start: Callable[[], None] = nothing
    """Called after the initial weights are loaded; not called when a checkpoint is restored."""

    merge: Callable[[], None] = nothing
    """Merge the added parameters into the base weights and remove them: same outputs, original architecture."""

    penalty: Callable[[], Tensor] | None = None  # regularization term, a scalar added to the training loss

    state: dict[str, Tensor] = field(default_factory=dict)  # further tensors stored in checkpoints


@dataclass(frozen=True)
class Adapter:
    """Adapter weights trained by a PEFT method, stored apart from the unchanged base weights."""

    tensors: Mapping[str, Tensor]
    base: str  # SHA-256 of the base weights
    method: Any  # its settings in the experiment file
    applied: Callable[[Mapping[str, Tensor]], nn.Module]  # return the full model with the given adapter tensors
