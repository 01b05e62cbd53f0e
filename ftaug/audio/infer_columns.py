"""Infer the columns of a table of sounds, or of parts of them (`ftaug init`)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ftaug.audio.datasets.table import NAMES, times_in
from ftaug.audio.io.open_sound import SUFFIXES, VIDEOS
from ftaug.data.tables import infer_columns
from ftaug.data.tables.infer_columns import Content, Targets
from ftaug.errors import BadData, ExperimentError, MissingInput

SOUNDS = (*(suffix.decode() for suffix in SUFFIXES), *VIDEOS)
COLUMNS = (*NAMES, "file", "file_name", "filename", "filepath", "wav", "sound", "clip")
STARTS = ("start", "start_time", "start_s", "start (s)", "begin", "begin_time", "begin_s", "begin time (s)", "onset")
ENDS = ("end", "end_time", "end_s", "end (s)", "stop", "stop_time", "stop_s", "end time (s)")
OTHER_TIMES = re.compile(r"\d+,\d+|\d+(:\d\d)+([.,]\d+)?")
"""Seconds with a decimal comma, and hours, minutes and seconds."""


@dataclass(frozen=True)
class Guess:
    """Inferred roles of a table's columns."""

    audio: str
    targets: Targets
    times: dict[str, str | None]  # settings that name the columns of start and end


def rows_of_sounds(path: Path) -> int:
    """Return how many of the sampled rows name a sound."""
    content = infer_columns.look(path)
    column = sound_column(content)
    return 0 if column is None else len(content[column])


def guess(path: Path) -> Guess:
    """Infer the columns of a sound table; raises BadData, MissingInput, or ExperimentError if this is ambiguous."""
    content = infer_columns.look(path)
    column = sound_column(content)
    there = ", ".join(f"'{name}'" for name in content)
    if column is None:
        raise ExperimentError(
            f"{path}: no column holds paths of sounds ({', '.join(SOUNDS[: len(SUFFIXES)])}); the columns are {there}"
        )
    named = infer_columns.spread(content[column])
    if named and not any(infer_columns.is_file(path.parent, name) for name in named):
        raise MissingInput(
            f"{path}: column '{column}' names sounds such as {named[0]}, which are not below {path.parent}: write the "
            "file yourself: data: {train: {audio_table: {path: …, root: …, label: …}}}"
        )
    _check_times(path, content)
    times, parts = _times(content, column)
    targets = infer_columns.guess_targets(content, [column, *parts])
    if targets.label is None and targets.target is None:
        raise ExperimentError(
            f"{path}: cannot tell which column holds the label; the columns are {there}: rename it to label, or write "
            "the file yourself: data: {train: {audio_table: {path: …, label: …}}}"
        )
    return Guess(column, targets, times)


def sound_column(content: Content) -> str | None:
    """Return the column of sound paths: by its name, or else the first; None if there is none."""
    columns = [name for name, values in content.items() if _names_sounds(values)]
    return next(iter([*infer_columns.named(columns, COLUMNS), *columns]), None)


def _times(content: Content, audio: str) -> tuple[dict[str, str | None], list[str]]:
    """Return the settings of start and end, none where `auto` takes offset and duration; and the columns of times."""
    columns = [name for name, values in content.items() if _are_times(values)]
    start = next(iter(infer_columns.named(columns, STARTS)), None)
    ends = (*ENDS, "offset") if start is not None and start.lower() == "onset" else ENDS
    end = next(iter(infer_columns.named(columns, ends)), None)
    taken = times_in([*content], audio)
    if start is None and end is None and taken[2]:
        return {}, [name for name in taken[:2] if name is not None]
    pairs = zip(("start", "end"), (start, end), taken[:2], strict=True)
    return {key: name for key, name, auto in pairs if name is not None or auto is not None}, [
        name for name in (start, end) if name is not None
    ]


def _check_times(path: Path, content: Content) -> None:
    """Raise BadData for a column of times that are not written as numbers of seconds."""
    for name in infer_columns.named([*content], (*STARTS, *ENDS)):
        if other := next((value for value in content[name] if OTHER_TIMES.fullmatch(value.strip())), None):
            raise BadData(
                f"{path}: column '{name}' must hold seconds, such as 62.5; got '{other}'; if it is no time in the "
                "sound, rename it"
            )


def _are_times(values: Sequence[str]) -> bool:
    given = [value for value in values if value.strip()]
    return not given or infer_columns.are_numbers(given)


def _names_sounds(values: Sequence[str]) -> bool:
    return infer_columns.share(value.lower().endswith(SOUNDS) for value in values) > 0.5
