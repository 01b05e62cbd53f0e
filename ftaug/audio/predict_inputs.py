"""Inputs of `ftaug predict`: the sounds in files and folders named on the command line, or parts of them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from ftaug.audio.clip import Clip, how_read
from ftaug.audio.io.open_sound import SUFFIXES
from ftaug.audio.io.sound_file import format_of, span
from ftaug.config.registry import Component
from ftaug.data.folders.named import files_of, version_of
from ftaug.data.packed import Packed
from ftaug.errors import FtaugError, MissingInput, combined
from ftaug.interfaces.data import Input

TOLERANCE = 1e-3
"""Share of a part by which a sound may be longer without a further part."""


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


def parts(inputs: Iterator[Input], seconds: float) -> Iterator[Input]:
    """Divide sounds into parts of so many seconds, named `FILE[START:END]`.

    The last part is as long as the others, and overlaps with the one before. A shorter sound stays whole, and so does
    one that cannot be read, for the error belongs to its prediction. A part may be silent.
    """
    for sound in inputs:
        try:
            clip = sound.read()
            length = span(clip)[1] / format_of(clip).rate  # of the whole file
        except FtaugError:
            length = 0.0
        if length <= seconds:
            yield sound
            continue
        for number in range(math.ceil(length / seconds - TOLERANCE)):
            start = min(number * seconds, length - seconds)
            part = partial(replace, clip, start=start, end=start + seconds, silent="keep")
            yield Input(f"{sound.name}[{start:.10g}:{start + seconds:.10g}]", part, sound.version)
