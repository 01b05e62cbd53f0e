"""Write tar archives with the same bytes for the same members, and their hash."""

from __future__ import annotations

import os
import tarfile
from hashlib import sha256
from pathlib import Path

from ftaug.data.shards.tar_headers import BLOCK

_END = bytes(2 * BLOCK)


class TarWriter:
    """A tar archive that appears under its name when it is complete; closed without `finish`, it is deleted."""

    def __init__(self, path: Path) -> None:
        self._path, self._partial = path, path.with_name(f".tmp-{path.name}")
        self._partial.unlink(missing_ok=True)
        self._file = self._partial.open("xb")
        self._digest = sha256()
        self.size, self.samples = 0, 0

    def add(self, files: dict[str, bytes]) -> None:
        """Write the files of a sample."""
        self.samples += 1
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            self._write(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))
            self._write(content + bytes(-len(content) % BLOCK))

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    def finish(self) -> str:
        """Complete the archive and sync it to disk; return its SHA-256."""
        self._write(_END)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.replace(self._path)
        return self._digest.hexdigest()

    def close(self) -> None:
        """Delete an archive that is not complete."""
        self._file.close()
        self._partial.unlink(missing_ok=True)


def stored_size(files: dict[str, bytes]) -> int:
    """Return the bytes that the files of a sample take in an archive, long names aside."""
    return sum(BLOCK + -(-len(content) // BLOCK) * BLOCK for content in files.values())
