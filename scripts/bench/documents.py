"""A plugin: the documents of the text bench, from the docstrings of Python's standard library."""

import csv
import hashlib
from pathlib import Path

import numpy as np

from ftaug.config.types import FilePath
from ftaug.interfaces.data import Task
from ftaug.text import dataset
from ftaug.text.types import Text


class Rows:
    """Texts in memory."""

    groups = None
    notes = ()

    def __init__(self, rows: list[dict[str, str]]) -> None:
        classes = tuple(sorted({row["label"] for row in rows}))
        self.task = Task(classes)
        self.texts = [row["text"] for row in rows]
        self.targets = np.array([classes.index(row["label"]) for row in rows], np.int64)
        self.fingerprint = hashlib.sha256(repr(rows).encode()).hexdigest()

    def __len__(self) -> int:
        return len(self.texts)

    def read(self, index: int) -> Text:
        """A text."""
        return Text(self.texts[index])

    def name(self, index: int) -> str:
        """The number of its row."""
        return f"documents[{index}]"


@dataset.register
def documents(split: str, *, path: FilePath) -> Rows:
    """A table with the columns text and label.

    Settings:
        path: the file
    """
    with Path(path).open(newline="", encoding="utf-8") as file:
        return Rows(list(csv.DictReader(file)))
