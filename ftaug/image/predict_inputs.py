"""Inputs of `ftaug predict`: the images in files and folders named on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain

from ftaug.data.folders.named import content, files_of, version_of
from ftaug.data.packed import Packed
from ftaug.errors import MissingInput, combined
from ftaug.image.datasets.index import SUFFIXES
from ftaug.image.io.decode import opened
from ftaug.image.io.grayscale import ValueRange
from ftaug.image.io.picture import Picture
from ftaug.interfaces.data import Input


def inputs(named: Sequence[str], value_range: ValueRange | None) -> Iterator[Input]:
    """Yield images from files and folders, with the value range of training; raises MissingInput, for all at once."""
    files: list[Packed] = []
    errors: list[MissingInput] = []
    for name in named:
        try:
            files.append(files_of(name, SUFFIXES))
        except MissingInput as error:
            errors.append(error)
    if errors:
        raise combined(errors)
    for path in map(os.fsdecode, chain.from_iterable(files)):
        yield Input(path, partial(_read, path, value_range), version_of(path))


def _read(path: str, value_range: ValueRange | None) -> Picture:
    return opened(content(path), value_range)
