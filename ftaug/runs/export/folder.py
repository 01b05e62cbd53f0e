"""The `exports` folder of a run, with a subfolder per target that is published atomically.

A target is written to `.tmp-TARGET` and gets its name by one rename; a folder that has the name is `.old-TARGET` until
then. The next export removes what a killed one left, and puts back a folder that nothing has replaced.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftaug.config.strict_json import dumps
from ftaug.engine.system.lock import Lock
from ftaug.engine.system.run_files import read_json
from ftaug.engine.system.storage import (
    make_inside,
    remove,
    sha256,
    storage_errors,
    sync_folder,
    sync_tree,
    write_durable,
)
from ftaug.errors import BadData, RunFolderTaken

EXPORTS = "exports"
RECORD = "parity.json"
CARD = "README.md"
"""The model card, which its author edits."""

_UNFINISHED, _REPLACED = ".tmp-", ".old-"


@contextmanager
def open_exports(run: Path) -> Iterator[ExportFolder]:
    """Lock the exports of a run and clean up after a killed export; raises RunFolderTaken, StorageError."""
    exports = ExportFolder(run / EXPORTS)
    with storage_errors(f"{exports.path}: cannot be written"):
        lock = Lock(make_inside(exports.path), otherwise="")
    try:
        with storage_errors(f"{exports.path}: cannot be written"):
            exports.recover()
        yield exports
    finally:
        lock.release()


@dataclass(frozen=True)
class ExportFolder:
    """The exports of a run, with a folder per target."""

    path: Path

    def check(self, target: str) -> None:
        """Raise RunFolderTaken if the target's name is taken, or its folder has files that no export wrote."""
        folder = self.path / target
        if not os.path.lexists(folder):
            return
        if folder.is_symlink() or not folder.is_dir():
            raise RunFolderTaken(f"{folder}: is not a folder that `ftaug export` wrote; move it elsewhere")
        known = {RECORD, *_recorded_files(folder)}
        for file in files_of(folder):
            name = file.relative_to(folder)
            if str(name) not in known and not file.name.startswith("."):
                raise RunFolderTaken(
                    f"{file}: was not written by `ftaug export`, which replaces {folder} as a whole; move it elsewhere"
                )

    @contextmanager
    def unfinished(self, target: str) -> Iterator[Path]:
        """Create an empty temporary folder for a target; removed at the end unless published."""
        folder = self.path / f"{_UNFINISHED}{target}"
        with storage_errors(f"{self.path}: cannot be written"):
            remove(folder)
            folder.mkdir()
        try:
            yield folder
        finally:
            remove(folder)

    def publish(self, folder: Path, target: str, record: Mapping[str, Any]) -> list[Path]:
        """Write the record and rename a finished folder to its target; return the files."""
        final, replaced = self.path / target, self.path / f"{_REPLACED}{target}"
        files = [str(file.relative_to(folder)) for file in files_of(folder)]
        digests = {name: sha256(folder / name) for name in files if Path(name).name != CARD}
        content = dumps({**record, "files": files, "sha256": digests}, indent=2) + "\n"
        with storage_errors(f"{final}: cannot be written"):
            write_durable(folder / RECORD, content.encode())
            sync_tree(folder)
            if final.exists():
                final.rename(replaced)
            folder.rename(final)
            sync_folder(self.path)
            remove(replaced)
        return files_of(final)

    def recover(self) -> None:
        """Remove unfinished targets and restore folders whose replacement was interrupted."""
        for replaced in self.path.glob(f"{_REPLACED}*"):
            final = self.path / replaced.name.removeprefix(_REPLACED)
            if os.path.lexists(final):
                remove(replaced)
            else:
                replaced.rename(final)
        for unfinished in self.path.glob(f"{_UNFINISHED}*/"):
            remove(unfinished)


def files_of(folder: Path) -> list[Path]:
    """List the files in a folder, recursively."""
    return sorted(path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def _recorded_files(folder: Path) -> list[str]:
    try:
        return list((read_json(folder / RECORD, {"files": list}) or {"files": []})["files"])
    except BadData:
        return []
