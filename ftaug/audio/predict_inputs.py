"""Inputs of `ftaug predict`: the sounds in files and folders named on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain

from ftaug.audio.clip import Clip, how_read
from ftaug.audio.io.open_sound import SUFFIXES
from ftaug.config.registry import Component
from ftaug.data.folders.named import files_of, version_of
from ftaug.data.packed import Packed
from ftaug.errors import MissingInput, combined
from ftaug.interfaces.data import Input


def inputs(named: Sequence[str], train: Component) -> Iterator[Input]:
    """Yield sounds from files and folders, read as those of training; raises MissingInput, for all at once."""
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
        yield Input(path, partial(Clip, path, **how_read(train)), version_of(path))
