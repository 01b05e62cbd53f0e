"""Inputs of `ftaug predict`: the sounds in files and folders named on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ftaug.audio.clip import Clip
from ftaug.audio.io.sound_file import SUFFIXES
from ftaug.config.registry import Component
from ftaug.data.folders.named import files_of
from ftaug.errors import MissingInput, combined
from ftaug.interfaces.data import Input


def inputs(named: Sequence[str], train: Component) -> Iterator[Input]:
    """Yield sounds from files and folders, with the channels of training; raises MissingInput, for all at once."""
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
        yield Input(path, partial(Clip, path, channels=train.settings.get("channels", "mix")))
