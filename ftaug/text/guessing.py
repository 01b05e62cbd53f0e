"""Which columns of a table hold the texts and which the labels, by their names and their cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ftaug.errors import ExperimentError
from ftaug.tables import cells
from ftaug.tables.rows import header, rows

TEXTS = ("text", "sentence", "review", "content", "comment", "message", "body", "document", "tweet", "question")
PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("first", "second"),
)
LABELS = ("label", "labels", "class", "category", "sentiment", "intent", "topic", "target", "y")
NUMBERS = ("score", "rating", "similarity", "value", "target", "label")
SPLITS = ("split", "part", "partition", "fold")
LOOKED_AT = 1000  # rows
MOST_CLASSES = 200


@dataclass(frozen=True)
class Guess:
    """What the columns of a table seem to be."""

    texts: tuple[str, ...]
    label: str | None  # or
    target: str | None
    split: str | None


def guess(path: Path) -> Guess:
    """Look at the names of the columns and at the first rows; raises ExperimentError, with the columns, if unsure."""
    columns = header("ftaug init", path)
    looked = [values for _, values in islice(rows("ftaug init", path, columns), LOOKED_AT)]
    content = {name: [cells.text(row[i]) for row in looked] for i, name in enumerate(columns)}
    split = next((name for name in _named(columns, SPLITS) if _is_split(content[name])), None)
    texts = next((pair for pair in (_named(columns, names) for names in PAIRS) if len(pair) == 2), [])
    texts = texts or _named(columns, TEXTS)[:1] or _longest(content)
    rest = {name: values for name, values in content.items() if name not in (*texts, split)}
    target = next((name for name in _named(list(rest), NUMBERS) if _is_measured(rest[name])), None)
    label = next((name for name in _named(list(rest), LABELS) if name != target and _is_label(rest[name])), None)
    if label is None and target is None:
        likely = [name for name, values in rest.items() if _is_label(values)]
        label = likely[0] if len(likely) == 1 else None
    if not texts or (label is None and target is None):
        unsure = "the text" if not texts else "the label"
        there = ", ".join(f"'{name}'" for name in columns) or "none"
        raise ExperimentError(
            f"{path}: cannot tell which column holds {unsure}; the columns are {there}: rename them to text and label, "
            "or write the file yourself: data: {train: {text_table: {path: …, text: …, label: …}}}"
        )
    return Guess(tuple(texts), label, target if label is None else None, split)


def _named(columns: Sequence[str], names: Sequence[str]) -> list[str]:
    """The columns that have one of the names, in the order of the names."""
    by_lower = {column.lower(): column for column in reversed(columns)}
    return [by_lower[name] for name in names if name in by_lower]


def _longest(content: dict[str, list[str]]) -> list[str]:
    """The one column of sentences, if there is one: most of its cells hold three words or more."""
    wordy = [name for name, values in content.items() if _share(len(re.findall(r"\w+", v)) >= 3 for v in values) > 0.5]
    return wordy if len(wordy) == 1 else []


def _is_split(values: Sequence[str]) -> bool:
    return {cells.split_name(value) for value in values} <= {"train", "val", "test"}


def _is_label(values: Sequence[str]) -> bool:
    """Whether values come again and again, as labels do."""
    kinds = set(values) - {""}
    return 2 <= len(kinds) <= min(MOST_CLASSES, max(2, len(values) // 2))


def _is_measured(values: Sequence[str]) -> bool:
    """Whether values are numbers, not all of them whole."""
    found = [re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value) for value in values]
    return bool(found) and all(found) and any("." in value.removesuffix(".0") for value in values)


def _share(found: Iterable[bool]) -> float:
    marks = list(found)
    return sum(marks) / max(1, len(marks))
