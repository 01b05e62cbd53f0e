"""Write the samples of datasets to tar archives of limited size, resumably, with an index and hashes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftaug.config.strict_json import dumps
from ftaug.data.shards.tar_writer import TarWriter, stored_size
from ftaug.engine.system.cpu_count import usable_cores
from ftaug.engine.system.run_files import read_json
from ftaug.engine.system.storage import replace, storage_errors
from ftaug.errors import ExperimentError, RunFolderTaken
from ftaug.runs.packed_samples import PackedSamples

INDEX = "index.json"
_CHUNK = 64


@dataclass
class PackedShards:
    """A folder of archives, with the archives of each split that are complete."""

    path: Path
    identity: Mapping[str, Any]  # what the archives depend on
    size: int  # maximum bytes of an archive
    splits: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path, identity: Mapping[str, Any], size: int) -> PackedShards:
        """Open a new or empty folder, or one with a part of the same archives.

        Raises RunFolderTaken, and ExperimentError with the differing settings.
        """
        index = read_json(path / INDEX)
        if index is None:
            require_own(path)
            return cls(path, identity, size)
        before = index.get("identity", {})
        if differing := [f"{key} {before.get(key)} → {now}" for key, now in identity.items() if before.get(key) != now]:
            text = f"holds other samples or settings ({', '.join(differing)}); choose another --output"
            raise ExperimentError(f"{path}: {text}")
        return cls(path, identity, size, index["splits"])

    def packed(self, split: str) -> int:
        """Return the number of samples of a split in complete archives; those that are damaged are left out."""
        entry = self.splits.setdefault(split, {"shards": []})
        intact = []
        for shard in entry["shards"]:
            with suppress(OSError):
                if (self.path / shard["file"]).stat().st_size == shard["bytes"]:
                    intact.append(shard)
                    continue
            break
        entry["shards"] = intact
        return sum(shard["samples"] for shard in intact)

    def write(self, split: str, data: PackedSamples, order: Sequence[int]) -> Generator[int]:
        """Write the samples that are missing in their order; yield after each the number of those written.

        An archive that is not complete is deleted when the iterator is closed.
        """
        done = self.packed(split)
        archive: TarWriter | None = None
        try:
            for files in _prepared(data.files, order[done:]):
                with storage_errors(f"cannot write {self.path}"):
                    if archive is not None and archive.size + stored_size(files) > self.size:
                        self._finish(split, archive)
                        archive = None
                    archive = archive or TarWriter(self.path / self._name(split))
                    archive.add(files)
                done += 1
                yield done
            with storage_errors(f"cannot write {self.path}"):
                if archive is not None:
                    self._finish(split, archive)
                self.splits[split] |= {"samples": done, "complete": True, "settings": data.settings()}
                self._write_index()
        finally:
            if archive is not None:
                archive.close()

    def _name(self, split: str) -> str:
        return f"{split}-{len(self.splits[split]['shards']):06}.tar"

    def _finish(self, split: str, archive: TarWriter) -> None:
        digest = archive.finish()
        shard = {"file": self._name(split), "samples": archive.samples, "bytes": archive.size, "sha256": digest}
        self.splits[split]["shards"].append(shard)
        self._write_index()

    def _write_index(self) -> None:
        index = {"identity": self.identity, "splits": self.splits}
        replace(self.path / INDEX, (dumps(index, indent=1) + "\n").encode())


def require_own(path: Path) -> None:
    """Raise RunFolderTaken for a folder with files, but without an index of archives."""
    if not (path / INDEX).is_file() and any(not entry.name.startswith(".") for entry in path.iterdir()):
        raise RunFolderTaken(f"{path}: is not empty and holds no packed samples; choose another --output")


def _prepared(files: Callable[[int], dict[str, bytes]], order: Sequence[int]) -> Iterator[dict[str, bytes]]:
    """Yield the files of samples in their order, prepared by all cores."""
    with ThreadPoolExecutor(usable_cores()) as pool:
        for start in range(0, len(order), _CHUNK):
            yield from pool.map(files, order[start : start + _CHUNK])
