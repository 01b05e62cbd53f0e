"""Predictions on disk as they are made, so that a killed `ftaug predict --output` continues with the same bits."""

from __future__ import annotations

import glob
import io
import json
import os
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.strict_json import dumps
from ftaug.engine.system.lock import Lock
from ftaug.engine.system.storage import make_inside, open_inside, remove, storage_errors, write_all
from ftaug.errors import StorageError
from ftaug.interfaces.data import Input
from ftaug.runs.prediction import Prediction

_JOURNAL = "journal"
_ARRAYS = ("output", "logits", "features")
_LENGTH, _CHECKSUM = 8, 4  # bytes before each record


@dataclass
class PredictionJournal:
    """The predictions made so far for a file, in a hidden folder beside it, which one process at a time may use.

    A record holds the predictions of a batch: its length, its checksum, and names and arrays. The first record says
    what the predictions depend on. A record that a killed process wrote in part is left out.
    """

    output: Path
    identity: Mapping[str, Any]
    size: int  # inputs in a batch
    _stored: int = 0  # predictions
    _versions: deque[str] = field(default_factory=deque)  # of inputs that are not predicted yet
    _lock: Lock | None = None
    _descriptor: int = -1

    @property
    def folder(self) -> Path:
        """The folder of the journal."""
        return self.output.with_name(f".{self.output.name}.partial")

    def open(self, inputs: Iterator[Input]) -> tuple[int, Iterator[Input]]:
        """Return the number of inputs that are predicted already, and an iterator over the others.

        Predictions of other inputs, or by another model, are deleted. Raises RunFolderTaken, StorageError.
        """
        if self.output.is_dir():
            raise StorageError(f"{self.output}: cannot be written: it is a folder; name a file")
        with storage_errors(f"{self.folder}: cannot be written"):
            self._lock = Lock(make_inside(self.folder), "")
            for leftover in self.output.parent.glob(f".tmp-{glob.escape(self.output.name)}-*"):
                remove(leftover)  # of a process that was killed
            self._descriptor = open_inside(self.folder / _JOURNAL, os.O_RDWR | os.O_CREAT)
            done, end, inputs = self._matching(inputs)
            os.ftruncate(self._descriptor, end)
            os.lseek(self._descriptor, end, os.SEEK_SET)
            if not end:
                self._write(dumps(self.identity).encode())
            self._stored = done
        return done, self._noting(inputs)

    def _matching(self, inputs: Iterator[Input]) -> tuple[int, int, Iterator[Input]]:
        """Return the number of predictions of these inputs, the end of their records, and the other inputs."""
        records = self._records()
        first, end = next(records, (b"", 0))
        if first != dumps(self.identity).encode():
            return 0, 0, inputs
        done = 0
        for content, place in records:
            names = _facts(content)["names"]
            batch = list(islice(inputs, len(names)))
            if len(names) < self.size or [[each.name, each.version] for each in batch] != names:
                return done, end, chain(batch, inputs)
            done, end = done + len(names), place
        return done, end, inputs

    def _records(self) -> Iterator[tuple[bytes, int]]:
        """Yield the intact records, each with its end in the file."""
        end, size = 0, os.fstat(self._descriptor).st_size
        while end + _LENGTH + _CHECKSUM <= size:
            start = os.pread(self._descriptor, _LENGTH + _CHECKSUM, end)
            length = int.from_bytes(start[:_LENGTH], "little")
            end += len(start) + length
            if end > size:
                return
            content = os.pread(self._descriptor, length, end - length)
            if zlib.crc32(content).to_bytes(_CHECKSUM, "little") != start[_LENGTH:]:
                return
            yield content, end

    def _noting(self, inputs: Iterator[Input]) -> Iterator[Input]:
        for each in inputs:
            self._versions.append(each.version)
            yield each

    def read(self, count: int) -> Iterator[Prediction]:
        """Yield the first predictions of the journal."""
        records = islice(self._records(), 1, None)
        yield from islice((each for content, _ in records for each in _predictions(content)), count)

    def record(self, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """Write predictions, a batch at a time, and yield them."""
        rest = iter(predictions)
        while batch := list(islice(rest, self.size)):
            names = [[each.name, self._versions.popleft()] for each in batch]
            with storage_errors(f"{self.folder}: cannot be written"):
                self._write(_content(batch, names))
            self._stored += len(batch)
            yield from batch

    def _write(self, content: bytes) -> None:
        length = len(content).to_bytes(_LENGTH, "little")
        write_all(self._descriptor, length + zlib.crc32(content).to_bytes(_CHECKSUM, "little") + content)

    def close(self) -> None:
        """Release the journal; it stays for the next start if it holds predictions."""
        if not self._stored:
            self.delete()
        if self._descriptor >= 0:
            os.close(self._descriptor)
        if self._lock is not None:
            self._lock.release()

    def delete(self) -> None:
        """Delete the journal, when the file is complete."""
        remove(self.folder)


def _content(batch: Sequence[Prediction], names: Sequence[Sequence[str]]) -> bytes:
    """Serialize predictions: names, errors by position, and the arrays of those without an error."""
    good = [each for each in batch if each.error is None]
    facts = {"names": names, "errors": {at: each.error for at, each in enumerate(batch) if each.error is not None}}
    columns = {name: [getattr(each, name) for each in good] for name in _ARRAYS}
    arrays = {name: np.stack(rows) for name, rows in columns.items() if rows and rows[0] is not None}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, facts=np.frombuffer(dumps(facts).encode(), np.uint8), **arrays)
    return file.getvalue()


def _facts(content: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        value: dict[str, Any] = json.loads(arrays["facts"].tobytes())
        return value


def _predictions(content: bytes) -> Iterator[Prediction]:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if name != "facts"}
    facts, row = _facts(content), 0
    for position, (name, _) in enumerate(facts["names"]):
        if (error := facts["errors"].get(str(position))) is not None:
            yield Prediction(name, error=error)
            continue
        yield Prediction(name, **{key: values[row] for key, values in arrays.items()})
        row += 1
