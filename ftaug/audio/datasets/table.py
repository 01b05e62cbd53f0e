"""Sound dataset listed in a table, also of parts of files."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.audio import dataset
from ftaug.audio.clip import Channels, Silent
from ftaug.audio.datasets.index import SoundSamples, fingerprint_with
from ftaug.audio.datasets.silence import without_silent
from ftaug.config.types import FilePath, Text
from ftaug.data import split_groups
from ftaug.data.folders.scan import file_id
from ftaug.data.packed import Packed
from ftaug.data.tables import cells
from ftaug.data.tables.file_cells import file_status, path_inside
from ftaug.data.tables.gathering import Faults, Table, gather
from ftaug.data.tables.rows import header
from ftaug.data.tables.settings import ClassOrder, Soft, SplitColumn, TablePath
from ftaug.data.tables.soft_targets import SoftTargets
from ftaug.data.tables.targets import Targets, targets
from ftaug.data.tables.tasks import table_tasks
from ftaug.errors import BadData

MANIFEST = "audio_filepath"
"""Column of the file in manifests of NVIDIA NeMo, which have `offset` and `duration` beside it."""
AUTO = "auto"
NAMES = ("path", "audio", MANIFEST)
"""Names of the column of the file."""


@dataset.register(tasks=table_tasks)
def audio_table(
    split: str,
    *,
    path: TablePath,
    audio: Text | None = None,
    start: Text | None = "auto",
    end: Text | None = "auto",
    label: Text | tuple[Text, ...] | None = None,
    target: Text | tuple[Text, ...] | None = None,
    labels_separator: Text | None = None,
    group: Text | None = None,
    classes: ClassOrder = None,
    soft: Soft = False,
    split_column: SplitColumn = None,
    root: FilePath | None = None,
    channels: Channels = "mix",
    silent: Silent = "error",
) -> SoundSamples:
    """Sounds listed with their labels in a table: CSV, TSV, JSON Lines or Parquet; also parts of files.

    Settings:
        audio: the column with the sound's path; unless set `path`, `audio` or `audio_filepath`, whichever there is
        start: the column with the second at which the sound starts in its file; `auto` is `start`, or else `offset`
            beside `duration` or `audio_filepath`, if the table has it; null for the beginning of the file
        end: the column with the second at which it ends, empty for the end of the file; `auto` is `end`, or else by
            `duration` beside `offset` or `audio_filepath`; null for the end of the file
        label: the column with the class, or a list of columns of 0 and 1, one for each class of a multi-label task; the
            column `label` unless set
        target: in place of label, for regression: the column with the number to predict, or a list of such columns
        labels_separator: what separates the classes in the label column of a multi-label task, such as "|"; several
            rows of a sound are joined
        group: a column, such as the speaker; a split keeps sounds with the same value there on one side; one without a
            value is a group of its own
        root: the folder that the sounds' paths start from, and that holds those of absolute paths; otherwise the
            table's own folder

    A label that is a list (JSON Lines, Parquet) makes the task multi-label too. All parts of a file are on one side of
    a split. Paths may not leave the root. Needs soundfile and soxr.
    """
    columns: Targets
    if soft:
        columns = SoftTargets("audio_table", path)
    else:
        columns = targets("audio_table", label=label, target=target, classes=classes, separator=labels_separator)
    parts = _columns(path, audio, start, end)
    rows = _SoundRows(path, root=root or path.parent, parts=parts)
    table = Table("audio_table", "sound", path, parts.names, rows.key, columns, group, split_column)
    gathered = gather(table, split, rows.take, rows)
    gathered.update(rows.digest)
    samples = SoundSamples(
        rows.root,
        Packed(bytes(rows.buffer), np.array(rows.ends, np.int64)),
        gathered.targets,
        gathered.task,
        fingerprint_with(rows.digest.hexdigest(), channels),
        (*columns.notes("sound"), *gathered.notes),
        split_groups.joined(split_groups.equal(rows.files), gathered.groups),
        channels,
        np.array(rows.spans, np.float64).reshape(-1, 2) if parts.has_times else None,
        gathered.split_rows,
        np.array([hash(key) for key in rows.keys], np.int64),
        gathered.further_columns,
        gathered.soft_targets,
        silent,
    )
    return without_silent(samples, silent)


@dataclass(frozen=True)
class _Columns:
    """The columns of a sound: its path, and where it starts and ends."""

    audio: str
    start: str | None
    end: str | None
    lasts: bool = False  # whether `end` is the duration

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in (self.audio, self.start, self.end) if name is not None)

    @property
    def has_times(self) -> bool:
        return self.start is not None or self.end is not None

    def span(self, values: Sequence[Any]) -> tuple[float, float]:
        """Return start and end in seconds; raises BadData."""
        times = dict(zip(self.names, values, strict=True))
        start = _seconds(self.start, times) if self.start is not None else None
        end = _seconds(self.end, times) if self.end is not None else None
        begin = 0.0 if start is None else start
        if begin < 0:
            raise BadData(f"{self.start} must be 0 s or more; got {begin:g}")
        if end is None:
            return begin, np.inf
        end += begin if self.lasts else 0
        if end <= begin:
            raise BadData(f"{self.start or 'start'} {begin:g} s is not before {self.end} {end:g} s")
        return begin, end


def _seconds(column: str, values: dict[str, Any]) -> float | None:
    value = values[column]
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and ":" in value:
        raise BadData(f"column '{column}' must contain seconds, such as 62.5; got '{value.strip()}'")
    return cells.number(column, value)


def _columns(path: Path, audio: str | None, start: str | None, end: str | None) -> _Columns:
    """Return the columns that settings name, or those that the table has; raises BadData, MissingInput."""
    names = header("audio_table", path)
    if audio is None:
        audio = next((name for name in NAMES if name in names), NAMES[0])
    first, last, lasts = times_in(names, audio)
    return _Columns(
        audio,
        first if start == AUTO else start,
        last if end == AUTO else end,
        lasts=lasts and end == AUTO,
    )


def times_in(names: Sequence[str], audio: str) -> tuple[str | None, str | None, bool]:
    """Return which columns `auto` takes for start and end, and whether the latter is a duration."""
    start, end = ("start" if "start" in names else None), ("end" if "end" in names else None)
    if start is None and end is None and (audio == MANIFEST or {"offset", "duration"} <= {*names}):
        offset, duration = (name if name in names else None for name in ("offset", "duration"))
        return offset, duration, True
    return start, end, False


@dataclass
class _SoundRows(Faults):
    """Collect the sounds of a split, and the problems of invalid rows."""

    root: Path = field(kw_only=True)
    parts: _Columns = field(kw_only=True)
    files: array[int] = field(default_factory=lambda: array("q"))  # hashes of their ids
    keys: list[tuple[bytes, float, float]] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)
    buffer: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("q"))
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def key(self, values: Sequence[Any]) -> tuple[bytes, float, float]:
        """Return the path of a row's sound relative to the root, and its part."""
        path = path_inside(cells.plain_text(self.parts.audio, values[0]), os.fsencode(self.root), "sound")
        return path, *self.parts.span(values)

    def take(self, line: int, values: Sequence[Any]) -> bool:
        """Add a row."""
        key = self.key(values)
        path, start, end = key
        status = file_status(self.root, path, "sound")
        self.buffer += path
        self.ends.append(len(self.buffer))
        self.files.append(hash(file_id(status, path)))
        self.keys.append(key)
        self.spans.append((start, end))
        self.digest.update(b"%b\0%d\0" % (path, status.st_size))
        if self.parts.has_times:
            self.digest.update(f"{start!r} {end!r}\0".encode())
        return True
