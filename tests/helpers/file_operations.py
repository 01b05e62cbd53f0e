"""Intercept the file operations of this process below a folder: count them, fail them, or end the process at one."""

import builtins
import io
import os
import signal
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

FAILING = ("open", "write", "fsync", "rename", "link", "mkdir", "truncate", "allocate")
"""Kinds of operations that a full or broken disk can fail; `unlink` and `rmdir` are the others."""

REAL = {name: getattr(os, name) for name in dir(os) if callable(getattr(os, name))}
REAL_OPEN = io.open


@dataclass(frozen=True)
class Operation:
    """A file operation that changes the disk or makes a change durable."""

    kind: str
    path: str  # relative to the watched folder; the new name of a rename
    data: memoryview | None = None  # what is written
    descriptor: int | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.path}"


class Handler:
    """What happens at operations; this one counts them."""

    def __init__(self) -> None:
        self.count = 0

    def before(self, operation: Operation) -> int | None:
        """Called before an operation: raises OSError to fail it; returns the bytes to write, None for all."""
        self.count += 1
        return None

    def after(self, operation: Operation) -> None:
        """Called when an operation has succeeded."""


class Failing(Handler):
    """Fails an operation, the first being 1, or it and all later ones; a write is done half before it fails."""

    def __init__(self, number: int, error: int, *, lasting: bool) -> None:
        super().__init__()
        self.number, self.error, self.lasting = number, error, lasting
        self.due = False
        self.failed: Operation | None = None

    def before(self, operation: Operation) -> int | None:
        if operation.kind not in FAILING:
            return None
        self.count += 1
        return self.fail(operation) if self.due or self.count == self.number else None

    def fail(self, operation: Operation) -> int | None:
        """Fail an operation, or write half of its data and fail the next one."""
        if operation.data is not None and len(operation.data) > 1 and not self.due:
            self.due = True
            return len(operation.data) // 2
        self.due = self.lasting
        self.failed = self.failed or operation
        raise OSError(self.error, os.strerror(self.error), operation.path)


class ShortWrite(Handler):
    """Writes half of the data at one write, as a disk that is nearly full or a signal may do."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def before(self, operation: Operation) -> int | None:
        if operation.data is None or len(operation.data) < 2:
            return None
        self.count += 1
        return len(operation.data) // 2 if self.count == self.number else None


def end_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Killing(Handler):
    """Ends the process by SIGKILL before or after the n-th operation of a kind on a path that contains a text."""

    def __init__(self, kind: str, text: str, number: int = 1, *, after: bool = False) -> None:
        super().__init__()
        self.kind, self.text, self.number, self.is_after = kind, text, number, after

    def before(self, operation: Operation) -> int | None:
        if operation.kind == self.kind and self.text in operation.path:
            self.count += 1
            if self.count == self.number and not self.is_after:
                end_process()
        return None

    def after(self, operation: Operation) -> None:
        if operation.kind == self.kind and self.text in operation.path and self.count == self.number:
            end_process()


class Interceptor:
    """Patches the functions of `os` and `open`; operations of C++ and Rust code are not seen."""

    def __init__(self, root: Path, handler: Handler) -> None:
        self.root, self.handler = os.path.realpath(root), handler
        self.former_root = self.root
        self.busy = False

    def relative(self, path, dir_fd: int | None = None) -> str | None:
        """Return a path relative to the watched folder; None outside of it."""
        if isinstance(path, int):
            dir_fd, path = path, ""
        folder = "" if dir_fd is None else str(Path(f"/proc/self/fd/{dir_fd}").readlink()).removesuffix(" (deleted)")
        place = os.path.abspath(f"{folder}/{os.fsdecode(path)}" if folder else os.fsdecode(path))  # noqa: PTH100 - not the target of a link
        return os.path.relpath(place, self.root) if f"{place}/".startswith(f"{self.root}/") else None

    def here(self, path):
        """Return a path, which this process may have chosen when the watched folder was another one."""
        if self.former_root == self.root or not isinstance(path, str | Path):
            return path
        text = str(path)
        return self.root + text.removeprefix(self.former_root) if text.startswith(f"{self.former_root}/") else path

    def run(self, kind: str, path, action: Callable, *, data=None, dir_fd=None):
        """Run an operation between the two calls of the handler; `action` gets the bytes to write."""
        relative = None if self.busy else self.relative(path, dir_fd)
        if relative is None:
            return action(None)
        operation = Operation(kind, relative, data, path if isinstance(path, int) else None)
        with self._alone():
            size = self.handler.before(operation)
        result = action(size)
        with self._alone():
            self.handler.after(operation)
        return result

    @contextmanager
    def _alone(self):
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

    def __enter__(self) -> Self:
        self.install()
        return self

    def __exit__(self, *error) -> None:
        self.uninstall()

    def install(self) -> None:
        builtins.open = io.open = self._open
        os.open = self._os_open
        os.write = lambda fd, data: self._write(fd, memoryview(data).cast("B"), lambda part: REAL["write"](fd, part))
        os.fsync = os.fdatasync = lambda file: self.run("fsync", _number(file), lambda _: REAL["fsync"](file))
        os.ftruncate = lambda fd, size: self.run("truncate", fd, lambda _: REAL["ftruncate"](fd, size))
        os.posix_fallocate = lambda fd, start, size: self.run(
            "allocate", fd, lambda _: REAL["posix_fallocate"](fd, start, size)
        )
        for name in ("rename", "replace"):
            self._patch(name, "rename", target=1)
        self._patch("symlink", "link", target=1)
        self._patch("link", "link", target=1)
        for name, kind in (("mkdir", "mkdir"), ("unlink", "unlink"), ("remove", "unlink"), ("rmdir", "rmdir")):
            self._patch(name, kind, target=0)

    def uninstall(self) -> None:
        builtins.open = io.open = REAL_OPEN
        for name, function in REAL.items():
            setattr(os, name, function)

    def _patch(self, name: str, kind: str, target: int) -> None:
        """Intercept a function of `os` whose argument number `target` is the path that changes."""
        real = REAL[name]

        def intercepted(*arguments, **options):
            arguments = [self.here(argument) for argument in arguments]
            dir_fd = options.get("dir_fd", options.get("dst_dir_fd"))
            return self.run(kind, arguments[target], lambda _: real(*arguments, **options), dir_fd=dir_fd)

        setattr(os, name, intercepted)

    def _os_open(self, path, flags, mode=0o777, *, dir_fd=None):
        path = self.here(path)

        def action(_):
            return REAL["open"](path, flags, mode, dir_fd=dir_fd)

        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        return self.run("open", path, action, dir_fd=dir_fd) if writes else action(None)

    def _write(self, descriptor: int, data: memoryview, action: Callable) -> int:
        return self.run("write", descriptor, lambda size: action(data[:size]), data=data)

    def _open(self, file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
        file, writes = self.here(file), set(mode) & set("wax+")
        if self.busy or not writes or self.relative(file) is None:
            return REAL_OPEN(file, mode, buffering, encoding, errors, newline, closefd, opener)

        def action(_):
            return _WatchedFile(self, file, mode.replace("b", "").replace("t", ""), closefd, opener)

        raw = action(None) if isinstance(file, int) else self.run("open", file, action)
        if "b" in mode and buffering == 0:
            return raw
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        if "b" in mode:
            return buffered
        text = io.TextIOWrapper(buffered, io.text_encoding(encoding), errors, newline, buffering == 1)
        text.mode = mode
        return text


class _WatchedFile(io.FileIO):
    """A file whose writes are intercepted."""

    def __init__(self, interceptor: Interceptor, file, mode: str, closefd: bool, opener) -> None:
        super().__init__(file, mode, closefd, opener)
        self._interceptor = interceptor

    def write(self, data) -> int:
        view = memoryview(data).cast("B")
        return self._interceptor._write(self.fileno(), view, super().write)

    def truncate(self, size=None) -> int:
        real = super().truncate
        return self._interceptor.run("truncate", self.fileno(), lambda _: real(size))


def _number(file) -> int:
    return file if isinstance(file, int) else file.fileno()
