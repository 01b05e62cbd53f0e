"""Texts without labels, one a line."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np

from ftaug.config.types import FilePath
from ftaug.data.folders.named import below
from ftaug.errors import BadData, MissingInput
from ftaug.interfaces.data import Task
from ftaug.text import dataset
from ftaug.text.datasets.in_memory import Collected, TextSamples
from ftaug.text.types import SUFFIXES, decoded


class LineNames:
    """Names of lines: their file and line number."""

    def __init__(self, files: list[str], counts: list[int], taken: np.ndarray) -> None:
        """Take the files, the number of lines of each, and the positions of the lines that are samples."""
        self.files, self.ends, self.taken = files, np.cumsum(counts), taken

    def __getitem__(self, index: int) -> str:
        position = int(self.taken[index])
        file = int(np.searchsorted(self.ends, position, side="right"))
        before = int(self.ends[file - 1]) if file else 0
        return f"{self.files[file]}:{position - before + 1}"


@dataset.register(tasks=("single_label",), labeled=False)
def text_lines(split: str, *, path: FilePath) -> TextSamples:
    """Texts without labels, one a line: of a file, or of all .txt files in a folder and in the folders below it.

    Settings:
        path: the file or folder

    For `data.unlabeled`, and for `data.train` of `ftaug pretrain`. UTF-8, held in memory; blank lines are left out.
    Raises BadData naming the line that cannot be read.
    """
    files, texts = _files(path), Collected(1)
    counts: list[int] = []
    for file in files:
        lines, before = _lines(file), sum(counts)
        for number, line in enumerate(lines, start=1):
            try:
                texts.take(before + number - 1, [line])
            except BadData as error:
                raise BadData(f"{file}:{number}: {error}") from None
        counts.append(len(lines))
    if not len(texts.taken):
        raise BadData(f"{path}: holds no text")
    blank = len(texts.empty)
    notes = (f"{blank:,} blank line{'s' * (blank != 1)} left out",) if blank else ()
    targets, names = np.zeros(len(texts.taken), np.int64), LineNames(files, counts, texts.taken)
    return TextSamples(texts.parts, names, targets, Task(()), texts.digest.hexdigest(), notes, keys=texts.keys)


def _files(path: Path) -> list[str]:
    if path.is_file():
        return [str(path)]
    if not path.is_dir():
        raise MissingInput(f"no file or folder {path}")
    left_out: Counter[str] = Counter()
    files = below(path, SUFFIXES, left_out)
    if len(files):
        return [os.fsdecode(files[index]) for index in range(len(files))]
    other = ", ".join(f"{what} ({count:,})" for what, count in sorted(left_out.items()) if count)
    raise BadData(f"{path} holds no .txt files{f'; it holds {other}' if other else ''}")


def _lines(file: str) -> list[str]:
    """Read the lines of a file; raises BadData, MissingInput."""
    try:
        text = decoded(Path(file).read_bytes())
    except BadData as error:
        raise BadData(f"{file}: {error}") from None
    except OSError as error:
        raise MissingInput(f"{file}: cannot be read: {error.strerror}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
