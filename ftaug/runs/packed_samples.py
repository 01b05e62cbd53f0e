"""The files of samples in packed shards: names, and labels in folders or in .json files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ftaug.config.strict_json import dumps
from ftaug.data import names
from ftaug.engine.loading import seeds
from ftaug.engine.loading.sample_keys import sample_keys
from ftaug.errors import BadData, BadSample
from ftaug.interfaces.data import Samples

GROUP = "group"
_JPEG = (".jpg", ".jpeg", ".jfif", ".jpe")


@dataclass(frozen=True)
class PackedSamples:
    """The samples of a dataset as files of an archive.

    Samples in class folders keep their paths. Others have a file and a .json file with the label, under their own path
    if that names it alone, else under a number.
    """

    samples: Samples
    encode: Callable[[int], tuple[bytes, str]]  # content of a sample's file and its suffix
    in_folders: bool
    by_key: bool

    @classmethod
    def of(cls, samples: Samples, encode: Callable[[int], tuple[bytes, str]]) -> PackedSamples:
        """Choose the names and the place of the labels."""
        keys = [PurePosixPath(key) for key in sample_keys(samples)]
        are_paths = all(_is_relative(key) for key in keys) and len({key.with_suffix("") for key in keys}) == len(keys)
        if samples.task.kind != "single_label" or samples.groups is not None:
            return cls(samples, encode, False, are_paths)
        codes = samples.targets.tolist()
        in_folders = len({*keys}) == len(keys) and all(
            _is_relative(key) and len(key.parts) > 1 and names.normalized(key.parts[0]) == samples.task.classes[code]
            for key, code in zip(keys, codes, strict=True)
        )
        has_all = len({*codes}) == len(samples.task.classes)
        is_ordered = (*names.ordered(samples.task.classes),) == samples.task.classes
        return cls(samples, encode, in_folders and has_all and is_ordered, are_paths)

    def order(self, seed: int, split: str) -> np.ndarray:
        """Return the order in which samples are written: int64 (n,).

        Training samples in class folders are shuffled, so that each archive holds all classes; their reader sorts them.
        """
        count = len(self.samples)
        return seeds.order(seed, 0, count) if self.in_folders and split == "train" else np.arange(count)

    def files(self, index: int) -> dict[str, bytes]:
        """Return the files of a sample by name; raises BadSample."""
        try:
            content, suffix = self.encode(index)
        except BadData as error:
            raise BadSample(f"{self.samples.name(index)}: {error}") from None
        if not (self.in_folders or self.by_key):
            return {f"{index:08}{suffix}": content, f"{index:08}.json": self._label(index)}
        key = self.samples.key(index)  # type: ignore[attr-defined]
        name = key if _suffixes_agree(PurePosixPath(key).suffix, suffix) else key + suffix
        if self.in_folders:
            return {name: content}
        return {name: content, f"{name.rpartition('.')[0]}.json": self._label(index)}

    def _label(self, index: int) -> bytes:
        task, target = self.samples.task, self.samples.targets[index]
        record: dict[str, Any] = {}
        if task.regression:
            record |= dict(zip(task.classes, target.tolist(), strict=True))
        elif task.multi_label:
            record["label"] = [task.classes[code] for code in np.flatnonzero(target)]
        else:
            record["label"] = task.classes[int(target)]
        if self.samples.groups is not None:
            record[GROUP] = int(self.samples.groups[index])
        return dumps(record).encode()

    def settings(self) -> dict[str, Any]:
        """Return the settings with which the archives are read."""
        task = self.samples.task
        if self.in_folders:
            return {"labels_from": "folder"}
        settings: dict[str, Any] = {"labels_from": "json"}
        if task.regression:
            settings["target"] = list(task.classes)
        else:
            settings["classes"] = list(task.classes)
        return settings if self.samples.groups is None else {**settings, "group": GROUP}


def _suffixes_agree(first: str, second: str) -> bool:
    return first == second or (first.lower() in _JPEG and second.lower() in _JPEG)


def _is_relative(key: PurePosixPath) -> bool:
    hidden = any(part.startswith(".") for part in key.parts)
    return bool(key.suffix) and not key.is_absolute() and not hidden and ".." not in key.parts
