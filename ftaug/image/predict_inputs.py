"""Inputs of `ftaug predict`: the images in files and folders named on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ftaug.data.folders.named import content, files_of
from ftaug.errors import MissingInput, combined
from ftaug.image.datasets.index import SUFFIXES
from ftaug.image.io.decode import opened
from ftaug.image.io.grayscale import ValueRange
from ftaug.image.io.picture import Picture
from ftaug.interfaces.data import Input


def inputs(named: Sequence[str], value_range: ValueRange | None) -> Iterator[Input]:
    """Yield images from files and folders, with the value range of training; raises MissingInput, for all at once."""
    paths: list[str] = []
    errors: list[MissingInput] = []
    for name in named:
        try:
            paths += files_of(name, SUFFIXES)
        except MissingInput as error:
            errors.append(error)
    if errors:
        raise combined(errors)
    for path in paths:
        yield Input(path, partial(_read, path, value_range))


def _read(path: str, value_range: ValueRange | None) -> Picture:
    return opened(content(path), value_range)
