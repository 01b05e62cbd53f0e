"""Explanation interface: which parts of a sample a network's output depends on, and how a modality shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import numpy as np

from ftaug.interfaces.model import Stage

if TYPE_CHECKING:
    from torch import Tensor, nn


class Attribution(NamedTuple):
    """Contribution of each part of a sample to an output: positive values raise it."""

    values: np.ndarray  # float64: (rows, columns) of a grid over the model's input, or (tokens,)
    figures: Mapping[str, float] = {}  # measures of its quality, such as the completeness error
    smooth: bool = False  # whether a grid is interpolated between the centers of its cells


class CannotExplain(Exception):
    """Raised by an explainer that does not fit a network; the message says why, and is a predicate."""


@dataclass(frozen=True)
class ExplainedOutput:
    """An output of a network, to be explained: the log-odds of a class, or a regression value."""

    model: nn.Module  # from a collated or normalized batch to logits (n, classes); in fp32 and eval mode
    network: nn.Module  # the backbone in it, whose modules the stages name
    stages: tuple[Stage, ...]  # from stem to head; empty if unknown
    activation: str  # softmax, sigmoid or identity
    output: int
    batch_size: int = 32

    def score(self, inputs: Tensor) -> Tensor:
        """Compute the explained value of each sample, differentiably: (n,)."""
        logits = self.model(inputs)
        target = logits[:, self.output]
        if self.activation != "softmax":
            return cast("Tensor", target)
        others = [index for index in range(logits.shape[1]) if index != self.output]
        return cast("Tensor", target - logits[:, others].logsumexp(dim=1))

    def scores(self, inputs: Tensor) -> np.ndarray:
        """Compute the explained values in batches, without gradients: float64 (n,)."""
        import torch

        with torch.no_grad():
            starts = range(0, len(inputs), self.batch_size)
            values = [self.score(inputs[start : start + self.batch_size]) for start in starts]
        return np.asarray(torch.cat(values).double().cpu().numpy())


@dataclass(frozen=True)
class Explanation:
    """An explained prediction of a sample."""

    name: str
    raw: Any
    prediction: str  # human-readable, such as "cat 0.98"
    output: str  # explained class or target
    method: str
    attribution: Attribution
    facts: Mapping[str, Any] = field(default_factory=dict)  # further JSON values


class Explain(Protocol):
    """Explanation functions of a modality, implemented by its package `explanation`."""

    suffixes: tuple[str, ...]  # of files that can be written
    default_output: Path | None  # None: the terminal
    on_normalized: bool  # whether samples are explained as the network sees them, rather than as they are collated

    def remove(
        self, sample: Tensor, attribution: Attribution, share: float, most: bool, preprocessing: Mapping[str, Any]
    ) -> Tensor:
        """Return a sample without the given share of its parts: those of the highest or the lowest values."""

    def locate(self, raw: Any, attribution: Attribution, preprocessing: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return where the values lie in the original sample, as JSON values."""

    def render(
        self, explanations: Sequence[Explanation], title: str, preprocessing: Mapping[str, Any], suffix: str
    ) -> bytes:
        """Return the content of a file that shows the explanations."""

    def screen(self, explanations: Sequence[Explanation], preprocessing: Mapping[str, Any]) -> Any:
        """Return a rich renderable for the terminal; None if they can only be seen in a file."""
