"""Infer the text and label columns of a table from column names and cells (`ftaug init`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ftaug.data.tables import infer_columns
from ftaug.data.tables.delimited import DELIMITERS
from ftaug.data.tables.infer_columns import Content, Targets
from ftaug.errors import ExperimentError

TEXTS = ("text", "sentence", "review", "content", "comment", "message", "body", "document", "tweet", "question")
PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("first", "second"),
)


@dataclass(frozen=True)
class Guess:
    """Inferred roles of the columns of a table."""

    texts: tuple[str, ...]
    targets: Targets


def guess(path: Path) -> Guess:
    """Infer the columns from their names and a sample of rows; raises ExperimentError if ambiguous."""
    content = infer_columns.look(path)
    _check_header(path, content)
    pairs = (pair for names in PAIRS if len(pair := infer_columns.named(content, names)) == 2)
    texts = next(pairs, None) or infer_columns.named(content, TEXTS)[:1] or _longest(content)
    _check_no_files(path, content, texts)
    targets = infer_columns.guess_targets(content, texts)
    if not texts or (targets.label is None and targets.target is None):
        unsure = "the text" if not texts else "the label"
        there = ", ".join(f"'{name}'" for name in content) or "none"
        raise ExperimentError(
            f"{path}: cannot tell which column holds {unsure}; the columns are {there}: rename them to text and label, "
            "or write the file yourself: data: {train: {text_table: {path: …, text: …, label: …}}}"
        )
    return Guess(tuple(texts), targets)


def _longest(content: Content) -> Sequence[str]:
    """Return the only column of sentences; empty if there are none or several."""
    wordy = infer_columns.wordy(content)
    return wordy if len(wordy) == 1 else []


def _check_header(path: Path, content: Content) -> None:
    """Raise BadData for a table without a header: its first line is a text with its label or number."""
    if path.suffix.lower() not in DELIMITERS or infer_columns.named(content, (*TEXTS, *infer_columns.LABELS)):
        return
    texts = {name for name in infer_columns.wordy(content) if infer_columns.is_wordy(name)}
    labels = {name for name, values in content.items() if infer_columns.is_label(values) and name in values}
    numbers = {name for name, values in content.items() if infer_columns.are_numbers([name, *values])}
    if texts and (labels or numbers):
        names = ["text" if name in texts else "label" for name in content]
        raise infer_columns.headerless(path, "a text with its label", names, [*content])


def _check_no_files(path: Path, content: Content, columns: Sequence[str]) -> None:
    """Raise ExperimentError for a column of file paths instead of texts."""
    for column in columns:
        for name in infer_columns.spread(content[column]):
            if infer_columns.is_file(path.parent, name):
                raise ExperimentError(
                    f"{path}: column '{column}' holds paths of files such as {name}, not texts: put the texts into the "
                    "table, or the files into one folder per class: data: {train: {text_folder: {path: …}}}"
                )
