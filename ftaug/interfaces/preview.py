"""Preview interface: how a modality shows samples before and after augmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ftaug.interfaces.data import Streams
from ftaug.interfaces.document import Gallery

if TYPE_CHECKING:
    from ftaug.config.registry import Component


@dataclass(frozen=True)
class Row:
    """A sample of a preview, with its labels and its random streams per epoch."""

    raw: Any
    labels: tuple[str, ...]
    streams: Callable[[int], Streams]
    name: str = ""
    label_text: str = ""  # classes or regression targets as text


class Effect(Protocol):
    """Statistics of one augmentation applied alone over some samples and epochs: a dataclass of figures."""

    @property
    def op(self) -> str:
        """Name of the op's random stream: a second `rotate` is `rotate#1`."""

    @property
    def tries(self) -> int: ...

    @property
    def warning(self) -> str | None:
        """Recommended change of the settings; None if there is none."""

    def describe(self) -> Mapping[str, str]:
        """Return the figures as human-readable text, keyed by column heading."""


@dataclass(frozen=True)
class PreviewRequest:
    """Input of a preview: the samples to show and the augmentations to apply."""

    title: str
    samples: int  # number of training samples
    rows: Sequence[Row]
    augment: tuple[Component, ...]
    preprocessing: Mapping[str, Any]
    mix: Component | None
    rng: np.random.Generator  # for mixing
    effects: Sequence[Effect] = ()
    cautions: Sequence[str] = ()


@dataclass(frozen=True)
class Preview:
    """A rendered preview: a file, its facts as JSON, and optionally terminal output."""

    file: Callable[[str], bytes]  # return the content of a file, given its suffix
    facts: Mapping[str, Any] = field(default_factory=dict)  # its content as JSON values
    screen: Any = None  # rich renderable for the terminal


class Show(Protocol):
    """Preview functions of a modality, implemented by its module `preview`."""

    noun: str  # word for a sample, such as "text"
    default_output: Path | None  # output file by default; None: the terminal

    def check_output(self, output: Path) -> None:
        """Raise ExperimentError if the output format is not supported."""

    def overview(self, showing: PreviewRequest) -> Preview:
        """Preview samples unchanged, after each augmentation alone, and after all augmentations."""

    def repeated(self, showing: PreviewRequest) -> Preview:
        """Preview several random draws of a single augmentation."""

    def severities(self, showing: PreviewRequest) -> Preview:
        """Preview the first sample at severities from 0 to 1 of each augmentation that has one; same random draw."""

    def galleries(self, showing: PreviewRequest) -> Sequence[Gallery]:
        """Return the overview as content of a report: a gallery for each sample."""

    def effects(self, showing: PreviewRequest) -> Sequence[Effect]:
        """Compute statistics of each augmentation applied alone."""
