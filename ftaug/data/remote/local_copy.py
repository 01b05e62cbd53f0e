"""Copy remote files to the cache, resumably: complete or not at all, and once for all processes."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar
from urllib.parse import unquote, urlsplit

from ftaug.data.cache_dirs import cache_folder
from ftaug.data.remote.sources import NETWORK_ERRORS, RemoteFile, Source, source_of
from ftaug.errors import BadData, ExperimentError, MissingInput, StorageError, as_storage_error, first_line, printable

FOLDER = "remote"
RETRY_SECONDS = (1.0, 4.0, 16.0)
"""Pauses after errors of the network in a row, without a byte between them."""

_CHUNK = 1 << 20
_PROGRESS_SECONDS = 10.0
_HASH = "sha256="

_silent_servers: set[str] = set()
"""Servers that this process could not reach: their other files are not waited for, where the cache has copies."""

Result = TypeVar("Result")


def local_copy(address: str) -> Path:
    """Return the local copy of a remote file, which is downloaded unless the cache holds this version of it.

    An address may end in `#sha256=HEX`, the digest that the file must have. A server that cannot be reached does not
    matter if there is a copy, which a note on stderr says. Raises MissingInput, BadData, StorageError, Unavailable.
    """
    expected = _expected_hash(address)
    folder = cache_folder() / FOLDER / hashlib.sha256(address.encode()).hexdigest()[:32]
    name = PurePosixPath(unquote(urlsplit(address).path)).name or "data"
    source = source_of(address)
    remote = _described(address, source, folder, name)
    if isinstance(remote, Path):
        return remote
    file = folder / hashlib.sha256(repr(tuple(remote)).encode()).hexdigest()[:16] / name
    if not _is_complete(file, remote):
        with _storage_errors(file):
            file.parent.mkdir(parents=True, exist_ok=True)
            lock = _locked(folder / ".lock", address)
        with lock:
            if not _is_complete(file, remote):
                _download(address, source, remote, file, expected)
    return file


def _expected_hash(address: str) -> str | None:
    fragment = urlsplit(address).fragment
    if not fragment:
        return None
    if not re.fullmatch(_HASH + "[0-9a-f]{64}", fragment):
        raise ExperimentError(f"{address}: behind # must be {_HASH} and 64 digits of 0-9 and a-f")
    return fragment.removeprefix(_HASH)


def _described(address: str, source: Source, folder: Path, name: str) -> RemoteFile | Path:
    """Describe a remote file, or return the newest local copy if it cannot be reached; raises MissingInput."""
    copies = sorted(folder.glob(f"*/{name}"), key=lambda path: path.stat().st_mtime_ns)
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        if copies:
            return copies[-1]
        raise MissingInput(f"{address}: is not in the cache, and --offline forbids to download it")
    server = "{0.scheme}://{0.netloc}".format(urlsplit(address))
    if copies and server in _silent_servers:
        return copies[-1]
    try:
        return _retried(source.describe)
    except NETWORK_ERRORS as error:
        if copies:
            _silent_servers.add(server)
            note = f"{server}: cannot be reached ({_reason(error)}); copies in the cache are used"
            print(printable(note), file=sys.stderr)
            return copies[-1]
        text = f"{address}: cannot be reached ({_reason(error)}); check the address and the network"
        raise MissingInput(text) from None


def _is_complete(file: Path, remote: RemoteFile) -> bool:
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        return False
    return remote.size in (None, size)


def _download(address: str, source: Source, remote: RemoteFile, file: Path, expected: str | None) -> None:
    """Download a file, continuing a part of it that is there, and check it."""
    partial = file.with_name(f".{file.name}.partial")
    _fetch(address, source, remote, partial)
    size = partial.stat().st_size
    problem = ""
    if remote.size not in (None, size):
        problem = f"has {size:,} bytes; expected {remote.size:,}"
    elif _retried(source.describe) != remote:
        problem = "has changed while it was downloaded; run the same command again"
    elif expected is not None and (actual := _digest(partial)) != expected:
        problem = f"has the SHA-256 {actual}; expected {expected}"
    if problem:
        partial.unlink()
        raise BadData(f"{address}: {problem}")
    with _storage_errors(file):
        descriptor = os.open(partial, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        partial.replace(file)


def _fetch(address: str, source: Source, remote: RemoteFile, partial: Path) -> None:
    """Fetch what is missing; a connection that ends early is repeated."""
    failures = 0
    while True:
        before = _size(partial)
        try:
            with source.open(before, remote) as (start, content), _opened(partial) as file:
                file.seek(start)
                file.truncate()
                _copy(address, content, file, partial, remote)
            if remote.size is None or _size(partial) >= remote.size:
                return
            error: Exception = OSError("the connection ended early")
        except NETWORK_ERRORS as caught:
            error = caught
        failures = 0 if _size(partial) > before else failures + 1
        if failures > len(RETRY_SECONDS):
            text = f"{address}: cannot be downloaded ({_reason(error)}); the same command continues"
            raise MissingInput(text) from None
        time.sleep(RETRY_SECONDS[max(0, failures - 1)])


def _copy(address: str, content: IO[bytes], file: IO[bytes], partial: Path, remote: RemoteFile) -> None:
    reported = time.monotonic()
    while chunk := content.read(_CHUNK):
        with _storage_errors(partial):
            file.write(chunk)
            file.flush()
        if time.monotonic() - reported >= _PROGRESS_SECONDS:
            reported = time.monotonic()
            of = "" if remote.size is None else f" of {remote.size / 1e6:,.0f}"
            print(printable(f"downloading {address}: {file.tell() / 1e6:,.0f}{of} MB"), file=sys.stderr, flush=True)


def _opened(partial: Path) -> IO[bytes]:
    with _storage_errors(partial):
        partial.touch()
        return partial.open("r+b")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _retried(call: Callable[[], Result]) -> Result:
    for seconds in RETRY_SECONDS:
        try:
            return call()
        except NETWORK_ERRORS:
            time.sleep(seconds)
    return call()


@contextmanager
def _locked(path: Path, address: str) -> Iterator[None]:
    """Context manager that one process at a time may enter; without locks in the file system, all."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(printable(f"{address}: waiting for another process that downloads it"), file=sys.stderr, flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            pass
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    """Context manager that turns errors of the local disk, which are no errors of the network, into StorageError."""
    try:
        yield
    except OSError as error:
        raise as_storage_error(error) or StorageError(f"{path}: cannot be written: {error.strerror}") from error


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)  # of an error of urllib
    return first_line(reason if isinstance(reason, Exception) else error)
