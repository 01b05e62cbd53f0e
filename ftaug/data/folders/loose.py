"""List the files below a folder that has no class folders: samples without labels."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ftaug.data.folders.named import below
from ftaug.data.folders.scan import Kind, file_id
from ftaug.data.packed import Packed
from ftaug.errors import BadData, MissingInput, one_of


class LooseFiles(NamedTuple):
    """The files below a folder, sorted by their paths."""

    paths: Packed  # relative to the folder
    keys: np.ndarray  # int64 (n,): file identity, equal for links to the same file
    fingerprint: str  # of names and sizes
    notes: tuple[str, ...]


def loose_files(path: Path, kind: Kind) -> LooseFiles:
    """List the files of a kind below a folder; raises BadData if there are none, MissingInput."""
    if not path.is_dir():
        raise MissingInput(f"{path} is a file, not a folder" if path.exists() else f"no folder {path}")
    left_out: Counter[str] = Counter()
    files = below(path, kind.suffixes, left_out)
    counted = ", ".join(f"{what} ({count:,})" for what, count in sorted(left_out.items()) if count)
    if not len(files):
        suffixes = one_of([suffix.decode() for suffix in kind.suffixes])
        raise BadData(f"{path} holds no {kind.noun}s ({suffixes}){f'; it holds {counted}' if counted else ''}")
    digest, relative, keys = hashlib.sha256(), [], []
    for index in range(len(files)):
        file = Path(os.fsdecode(files[index]))
        status, name = file.stat(), os.fsencode(file.relative_to(path))
        relative.append(name)
        keys.append(hash(file_id(status, name)))
        digest.update(b"%b\0%d\0" % (name, status.st_size))
    notes = (f"ignored: {counted}",) if counted else ()
    return LooseFiles(Packed.of(relative), np.array(keys, np.int64), digest.hexdigest(), notes)
