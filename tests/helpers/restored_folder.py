"""A folder whose files are as they were again after each use."""

import os
import sys
from collections.abc import Callable
from pathlib import Path


class RestoredFolder:
    """Remembers the files of a folder, and writes back what has changed."""

    def __init__(self, folder: Path) -> None:
        """Read all files; those behind links of folders are not followed."""
        self.folder = folder
        self.contents = {path: path.read_bytes() for path in self._files()}
        self._versions = {path: _version(path) for path in self.contents}

    def _files(self) -> list[Path]:
        return [Path(place, name) for place, _, names in os.walk(self.folder) for name in sorted(names)]

    def restore(self) -> None:
        """Write back files that were written since, and delete new ones."""
        for path in self._files():
            if path not in self.contents:
                path.unlink()
        for path, content in self.contents.items():
            if not path.exists() or _version(path) != self._versions[path]:
                path.unlink(missing_ok=True)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                self._versions[path] = _version(path)

    def opened_by(self, reader: Callable[[], object]) -> list[Path]:
        """Run a reader; return those of the files that it opens."""
        opened: set[str] = set()
        is_reading = True

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            if is_reading and event == "open" and isinstance(arguments[0], str | os.PathLike):
                opened.add(os.path.realpath(arguments[0]))

        sys.addaudithook(hook)  # it cannot be removed again
        try:
            reader()
        finally:
            is_reading = False
        return [path for path in self.contents if os.path.realpath(path) in opened]


def _version(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns
