"""Infer the roles of table columns from their names and cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftaug.data.tables import cells
from ftaug.data.tables.delimited import delimiter
from ftaug.data.tables.rows import at, header, rows
from ftaug.errors import BadData

LABELS = (
    *("label", "labels", "class", "class_name", "label_name", "category", "sentiment", "intent", "topic", "diagnosis"),
    *("species", "breed", "target", "y"),
)
NUMBERS = ("score", "rating", "similarity", "value", "target", "label", "labels", "y")
SPLITS = ("split", "part", "partition", "fold", "set", "subset")
GROUP = re.compile(
    r"(^|[^a-z])((?i:group|patient|subject|person|user|author|owner|speaker|participant|session)s?)(?![a-z])"
)
ROWS = 1000
"""Number of sampled rows, spread over the table: between ROWS and 2 · ROWS."""
MOST_CLASSES = 200
CHECKED = 16
"""Number of cells of a column tested as file paths."""
SEPARATORS = ("|", ";")

Content = Mapping[str, Sequence[str]]
"""Sampled cells as text, by column."""


@dataclass(frozen=True)
class Targets:
    """Inferred target, split and group columns."""

    label: str | None  # the class column, or
    target: str | None  # the number column; neither if ambiguous
    separator: str | None = None  # separator of multi-label cells
    split: str | None = None
    group: str | None = None  # possible group column


def look(path: Path) -> Content:
    """Sample rows evenly from the whole table; raises BadData, MissingInput."""
    columns = header("ftaug init", path)
    if not columns:
        raise BadData(at(path, 1, "the first line is empty; expected column names"))
    sampled: list[Sequence[Any]] = []
    step = 1
    for number, (_, values) in enumerate(rows("ftaug init", path, columns)):
        if number % step == 0:
            sampled.append(values)
            if len(sampled) == 2 * ROWS:
                sampled, step = sampled[::2], 2 * step  # halve the rate at capacity: the file is read once
    return {name: [cells.text(row[i]) for row in sampled] for i, name in enumerate(columns)}


def guess_targets(content: Content, samples: Collection[str]) -> Targets:
    """Infer target, split and group columns, given the columns that hold the samples."""
    split = _split({name: content[name] for name in content if name not in samples})
    rest = {name: values for name, values in content.items() if name not in samples and name != split}
    target = next((name for name in named(rest, NUMBERS) if is_measured(rest[name])), None)
    label = next((name for name in named(rest, LABELS) if name != target and is_label(rest[name])), None)
    if label is None and target is None:
        candidates = {name: values for name, values in rest.items() if not GROUP.search(name)}
        label = _only(name for name, values in candidates.items() if is_label(values))
        target = _only(name for name, values in candidates.items() if is_measured(values)) if label is None else None
    separator = label_separator(rest[label]) if label is not None else None
    group = next((name for name in rest if name not in (label, target) and _is_group(name, rest[name])), None)
    return Targets(label, target if label is None else None, separator, split, group)


def named(columns: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return columns with one of the names, ignoring case, in the order of the names."""
    by_lower = {column.lower(): column for column in reversed([*columns])}
    return [by_lower[name] for name in names if name in by_lower]


def wordy(content: Content) -> list[str]:
    """Return columns of sentences: most of their cells have three words or more."""
    return [name for name, values in content.items() if share(is_wordy(value) for value in values) > 0.5]


def is_wordy(value: str) -> bool:
    """Whether a cell has three words or more; parts of paths, URLs and dates do not count."""
    return len(value.split()) >= 3 or (not value.isascii() and len(re.findall(r"\w+", value)) >= 3)


def is_measured(values: Sequence[str]) -> bool:
    """Whether the values are numbers that are not all integers, as regression targets are."""
    return are_numbers(values) and any("." in value.removesuffix(".0") for value in values)


def are_numbers(values: Sequence[str]) -> bool:
    """Whether there are values and all are numbers."""
    return bool(values) and all(re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", v) for v in values)


def is_label(values: Sequence[str]) -> bool:
    """Whether values repeat as class labels do, one or several per cell."""
    kinds = set(values) - {""}
    return 2 <= len(kinds) <= min(MOST_CLASSES, max(2, len(values) // 2)) or label_separator(values) is not None


def label_separator(values: Sequence[str]) -> str | None:
    """Detect the separator of multi-label cells, between labels that repeat; None if there is none."""
    for separator in SEPARATORS:
        if any(separator in value for value in values):
            labels = Counter(label.strip() for value in values for label in value.split(separator))
            again = share(count > 1 for label, count in labels.items() if label)
            if len(labels) <= MOST_CLASSES and again > 0.5:
                return separator
    return None


def spread(names: Sequence[str]) -> list[str]:
    """Return up to CHECKED names, evenly spaced."""
    return [names[len(names) * step // CHECKED] for step in range(min(CHECKED, len(names)))] if names else []


def is_file(folder: Path, name: str) -> bool:
    """Whether a cell is the path of an existing file, relative to the folder; False for invalid names."""
    try:
        return Path(folder, name).is_file()
    except OSError:
        return False


def headerless(path: Path, why: str, names: Sequence[str], cells_of_first: Sequence[str]) -> BadData:
    """Return the error for a table without a header; `names` are the columns to add.

    Names that repeat get numbers.
    """
    numbered = [f"{name}_{i}" if names.index(name) < i else name for i, name in enumerate(names)]
    separator = {"\t": "<tab>"}.get(mark := delimiter(path), mark)
    first = ", ".join(f"'{cell[:40]}'" for cell in cells_of_first[:4])
    return BadData(
        at(path, 1, f"the table has no header: its first line is data ({first}), {why}; "
           f"write the names of the columns above it, such as {separator.join(numbered)}")
    )  # fmt: skip


def share(marks: Iterable[bool]) -> float:
    """Share of true values; 0 if empty."""
    values = list(marks)
    return sum(values) / max(1, len(values))


def _split(content: Content) -> str | None:
    """Find the split column: by its name, or by values that are all split names."""
    by_name = (name for name in named(content, SPLITS) if _is_split(content[name], others=True))
    other = (
        name
        for name, values in content.items()
        if name.lower() not in LABELS and len(set(values)) > 1 and _is_split(values)
    )
    return next(by_name, None) or next(other, None)


def _is_split(values: Sequence[str], *, others: bool = False) -> bool:
    """Whether the values are split names; with `others`, further values beside train and another split are allowed."""
    splits = {cells.split_name(value) for value in values}
    known = splits & {"train", "val", "test"}
    return "train" in splits and (splits == known or (others and len(known) > 1))


def _is_group(name: str, values: Sequence[str]) -> bool:
    """Whether a column may hold group ids: by its name, with repeated values."""
    kinds = len(set(values) - {""})
    by_name = bool(GROUP.search(name)) or bool(re.search(r"(^|[^a-z])id$|[a-z]Id$|ID$", name))
    return by_name and 1 < kinds < 0.9 * len(values)


def _only(names: Iterable[str]) -> str | None:
    """Return the only name; None if there are none or several."""
    candidates = list(names)
    return candidates[0] if len(candidates) == 1 else None
