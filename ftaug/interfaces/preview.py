"""TODO."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ftaug.interfaces.data import Streams

if TYPE_CHECKING:
    from ftaug.config.registry import Component


@dataclass(frozen=True)
class Row:
    """A sample that a person is shown, with its classes and the random streams that it has in an epoch."""

    raw: Any
    labels: tuple[str, ...]
    streams: Callable[[int], Streams]
    name: str = ""
    label_text: str = ""  # its classes or its numbers, in words


class Effect(Protocol):
    """What an op does alone, over some samples and epochs: a dataclass whose fields are the figures."""

    @property
    def op(self) -> str:
        """The name of its stream: a second `rotate` is `rotate#1`."""

    @property
    def tries(self) -> int: ...

    @property
    def warning(self) -> str | None:
        """What a person should change, if anything."""

    def describe(self) -> Mapping[str, str]:
        """The figures for a person, under their headings."""


@dataclass(frozen=True)
class PreviewRequest:
    """What a person is to be shown, and of which samples."""

    title: str
    samples: int  # that there are for training
    rows: Sequence[Row]
    augment: tuple[Component, ...]
    preprocessing: Mapping[str, Any]
    mix: Component | None
    rng: np.random.Generator  # for mixing
    effects: Sequence[Effect] = ()
    cautions: Sequence[str] = ()


@dataclass(frozen=True)
class Preview:
    """Samples as a person sees them."""

    file: Callable[[str], bytes]  # the content of a file with this suffix
    facts: Mapping[str, Any] = field(default_factory=dict)  # what it shows, as JSON values
    screen: Any = None  # what rich prints where no file is wanted


class Show(Protocol):
    """How a modality shows samples to a person, as the functions of its module `show`."""

    noun: str  # what it calls a sample
    default_output: Path | None  # the file where none is named; None for the screen

    def check_output(self, output: Path) -> None:
        """Raise ExperimentError for a file that no sheet can be written to."""

    def overview(self, showing: PreviewRequest) -> Preview:
        """Samples as they are, after each augmentation alone, and after all of them."""

    def repeated(self, showing: PreviewRequest) -> Preview:
        """Several draws of the one augmentation."""

    def severities(self, showing: PreviewRequest) -> Preview:
        """The first sample after each augmentation that has a severity, from 0 to 1, by the same draw."""

    def effects(self, showing: PreviewRequest) -> Sequence[Effect]:
        """What each augmentation does alone."""
