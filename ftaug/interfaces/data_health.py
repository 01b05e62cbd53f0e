"""Data health interface: what `ftaug doctor` computes of each sample of a modality; imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from ftaug.interfaces.data import Samples


class Sketch(NamedTuple):
    """What is kept of a sample: a digest of its content, a small array to find near duplicates by, and facts."""

    digest: bytes  # 16 bytes; equal for exact copies
    values: np.ndarray  # uint8 (sketch_size,)
    facts: tuple[float, ...]  # in the order of `fact_names`


class Rows(Protocol):
    """An array uint8 (n, sketch_size) of which only the indexed rows are in memory."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray: ...


class SheetRow(NamedTuple):
    """A row of a contact sheet: a label with a note, and raw samples with captions."""

    label: str
    note: str
    cells: Sequence[tuple[Any, str]]


class DataHealth(Protocol):
    """Functions of a modality for `ftaug doctor`, implemented by its module `data_health`."""

    noun: str  # word for a sample, such as "image"
    sketch_size: int  # bytes of `Sketch.values`
    fact_names: Sequence[str]  # names of `Sketch.facts`, such as width
    table: str  # name of the dataset that reads the table of samples and labels

    def sketch(self, raw: Any) -> Sketch:
        """Compute the sketch of a raw sample; raises BadData if training could not read it."""

    def candidates(self, values: Rows) -> np.ndarray:
        """Return pairs of rows of `values` (n, sketch_size) that may be near duplicates: int64 (pairs, 2)."""

    def near_duplicate(self, first: Any, second: Any) -> bool:
        """Whether two raw samples are copies of each other but for compression, size or a slight crop or edit."""

    def cells(self, samples: Samples, index: int, folder: Path) -> Mapping[str, str]:
        """Return a sample as cells of a table, by column: its text, or the `path` of its file.

        What is in no file is written into one below the folder.
        """

    def sheet(self, rows: Sequence[SheetRow], title: str, subtitle: str) -> bytes | None:
        """Draw a contact sheet as PNG; None if samples cannot be drawn."""
