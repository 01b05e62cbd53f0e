"""Which columns of a table hold what, by their names and their cells."""

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
"""At least so many rows, spread over the table, are looked at, and less than twice as many."""
MOST_CLASSES = 200
CHECKED = 16
"""So many cells of a column are looked for as files."""
SEPARATORS = ("|", ";")

Content = Mapping[str, Sequence[str]]
"""The cells of each column, as text."""


@dataclass(frozen=True)
class Targets:
    """The columns that say what is to be predicted, and for which samples."""

    label: str | None  # or
    target: str | None  # or neither, where it is unclear
    separator: str | None = None  # of several labels in a cell
    split: str | None = None
    group: str | None = None  # may be one


def look(path: Path) -> Content:
    """Read rows spread over the whole table; raises BadData, MissingInput."""
    columns = header("ftaug init", path)
    if not columns:
        raise BadData(at(path, 1, "the first line is empty; expected the names of the columns"))
    looked: list[Sequence[Any]] = []
    step = 1
    for number, (_, values) in enumerate(rows("ftaug init", path, columns)):
        if number % step == 0:
            looked.append(values)
            if len(looked) == 2 * ROWS:
                looked, step = looked[::2], 2 * step
    return {name: [cells.text(row[i]) for row in looked] for i, name in enumerate(columns)}


def guess_targets(content: Content, samples: Collection[str]) -> Targets:
    """The label or the number to predict, the split and a possible group, given the columns that hold the samples."""
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
    """The columns that have one of the names, in any case, in the order of the names."""
    by_lower = {column.lower(): column for column in reversed([*columns])}
    return [by_lower[name] for name in names if name in by_lower]


def wordy(content: Content) -> list[str]:
    """The columns of sentences: most of their cells hold three words or more."""
    return [name for name, values in content.items() if share(is_wordy(value) for value in values) > 0.5]


def is_wordy(value: str) -> bool:
    """Whether a cell holds three words or more; of paths, URLs and dates the pieces between marks are none."""
    return len(value.split()) >= 3 or (not value.isascii() and len(re.findall(r"\w+", value)) >= 3)


def is_measured(values: Sequence[str]) -> bool:
    """Whether values are numbers, not all of them whole."""
    return are_numbers(values) and any("." in value.removesuffix(".0") for value in values)


def are_numbers(values: Sequence[str]) -> bool:
    """Whether all values are numbers, and there are some."""
    return bool(values) and all(re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", v) for v in values)


def is_label(values: Sequence[str]) -> bool:
    """Whether values come again and again, as labels do, alone or several in a cell."""
    kinds = set(values) - {""}
    return 2 <= len(kinds) <= min(MOST_CLASSES, max(2, len(values) // 2)) or label_separator(values) is not None


def label_separator(values: Sequence[str]) -> str | None:
    """What separates the labels of a cell, if cells hold several: the labels between come again and again."""
    for separator in SEPARATORS:
        if any(separator in value for value in values):
            labels = Counter(label.strip() for value in values for label in value.split(separator))
            again = share(count > 1 for label, count in labels.items() if label)
            if len(labels) <= MOST_CLASSES and again > 0.5:
                return separator
    return None


def spread(names: Sequence[str]) -> list[str]:
    """A handful of names, spread over all."""
    return [names[len(names) * step // CHECKED] for step in range(min(CHECKED, len(names)))] if names else []


def is_file(folder: Path, name: str) -> bool:
    """Whether a cell is the path of a file from the folder on; what no file can be called is none."""
    try:
        return Path(folder, name).is_file()
    except OSError:
        return False


def headerless(path: Path, why: str, names: Sequence[str], cells_of_first: Sequence[str]) -> BadData:
    """The error for a table whose first line is a row of data; `names` are the columns to write above it.

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
    """The share of those that are true; 0 of nothing."""
    listed = list(marks)
    return sum(listed) / max(1, len(listed))


def _split(content: Content) -> str | None:
    """The column that says the split: one that is called so, or one of nothing but such words."""
    by_name = (name for name in named(content, SPLITS) if _is_split(content[name], others=True))
    other = (
        name
        for name, values in content.items()
        if name.lower() not in LABELS and len(set(values)) > 1 and _is_split(values)
    )
    return next(by_name, None) or next(other, None)


def _is_split(values: Sequence[str], *, others: bool = False) -> bool:
    """Whether values are names of splits; `others` beside train and another one are counted before training."""
    splits = {cells.split_name(value) for value in values}
    known = splits & {"train", "val", "test"}
    return "train" in splits and (splits == known or (others and len(known) > 1))


def _is_group(name: str, values: Sequence[str]) -> bool:
    """Whether a column may say which samples belong together: by its name, or as ids that come again."""
    kinds = len(set(values) - {""})
    by_name = bool(GROUP.search(name)) or bool(re.search(r"(^|[^a-z])id$|[a-z]Id$|ID$", name))
    return by_name and 1 < kinds < 0.9 * len(values)


def _only(names: Iterable[str]) -> str | None:
    """The only one, if there is just one."""
    listed = list(names)
    return listed[0] if len(listed) == 1 else None
