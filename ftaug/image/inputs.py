"""The pictures that a command line names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ftaug.folders.named import check_there, content, files_of
from ftaug.image.datasets.index import SUFFIXES
from ftaug.interfaces import Input


def inputs(named: Sequence[str]) -> Iterator[Input]:
    """Files, and those in folders; raises MissingInput before the first for all that are not there."""
    check_there(named)
    for path in [path for name in named for path in files_of(name, SUFFIXES)]:
        yield Input(path, partial(content, path))
