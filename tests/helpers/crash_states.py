"""The states of a folder that a kill, a power loss or a failing disk can leave, collected in one run of a command.

The command runs once with its file operations intercepted. Before each operation the folder is photographed, which is
what a kill at that moment leaves; a model of the disk says what a power loss leaves; and for each error of the disk the
process is forked, so that the child lives through the failing operation in a copy of the folder.
"""

import errno
import fcntl
import json
import logging
import os
import pickle
import shutil
import signal
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from disk_model import TEMPORARY, Disk, Tree, key_of, write_tree
from file_operations import FAILING, Failing, Handler, Interceptor, Operation, ShortWrite
from matplotlib.figure import Figure

import ftaug.cli
import ftaug.engine.system.lock as lock
from ftaug.engine.system import checkpoint

ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG)
SHORT = "short write"
SECONDS = 300
"""After which a forked command ends by SIGALRM."""


@dataclass
class State:
    """A state of the folder, and how it came about."""

    tree: Tree
    saved_step: int  # of the newest checkpoint that had been saved by then, 0 for none
    causes: list[str] = field(default_factory=list)


@dataclass
class Failure:
    """What became of a run whose disk failed."""

    operation: str
    error: str
    lasting: bool
    code: int
    stderr: str
    key: str  # of the state that it left
    half_files: list[str]  # files that are neither as before nor as the uninterrupted run wrote them


@dataclass
class Recording:
    """All that one run showed."""

    code: int
    operations: list[str] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)

    def write(self, key: str, folder: Path) -> None:
        """Create the folder of a state."""
        write_tree(self.states[key].tree, self.contents, folder)


class Recorder(Handler):
    """Collects the states before each operation, and forks the failures of chosen ones."""

    def __init__(self, root: Path, copies: Path, chosen: Callable[[int], Collection[tuple[int | str, bool]]]) -> None:
        super().__init__()
        self.root, self.copies, self.chosen = root, copies, chosen
        self.disk = Disk(root)
        self.recording = Recording(-1)
        self.saved_step = 0
        self.failing = 0  # number of the last operation that a disk can fail
        self.failure: Handler | None = None  # in a forked child
        self.interceptor: Interceptor | None = None
        self._new = False

    def before(self, operation: Operation) -> int | None:
        if self.failure is not None:
            return self.failure.before(operation)
        self.recording.operations.append(str(operation))
        self.remember(self.disk.tree(), f"killed before {operation}")
        if operation.kind not in ("open", "write"):
            for name, tree in self.disk.after_power_loss().items():
                self.remember(tree, f"power loss before {operation}: {name}")
        makes_nothing = operation.kind == "mkdir" and (self.root / operation.path).is_dir()  # fails as it is
        if operation.kind in FAILING and not makes_nothing:
            self.failing += 1
            for error, lasting in self.chosen(self.failing):
                if error == SHORT and (operation.data is None or len(operation.data) < 2):
                    continue
                if self._fork(operation, error, lasting):
                    return self.failure.before(operation)
        self._new = operation.kind in ("open", "mkdir") and not os.path.lexists(self.root / operation.path)
        return None

    def after(self, operation: Operation) -> None:
        if self.failure is not None:
            return
        path = self.root / operation.path
        if self._new:
            self.disk.created(path)
        if operation.kind == "fsync":
            self.disk.sync_folder(path) if path.is_dir() else self.disk.sync_file(path)

    def remember(self, tree: Tree, cause: str) -> str:
        key = key_of(tree)
        state = self.recording.states.setdefault(key, State(tree, self.saved_step))
        state.saved_step = max(state.saved_step, self.saved_step)
        state.causes.append(cause)
        return key

    def _fork(self, operation: Operation, error: int | str, lasting: bool) -> bool:
        """Fork a child whose disk fails at this operation; true in the child, whose folder is a copy."""
        shutil.rmtree(self.copies, ignore_errors=True)
        shutil.copytree(self.root, self.copies, symlinks=True)
        # the child goes on as if it were this process: it keeps the lock of the folder, and that of a log in use
        held, lock._held = lock._held, set()
        logs, logging._at_fork_reinit_lock_weakset = logging._at_fork_reinit_lock_weakset, ()
        child = os.fork()
        lock._held, logging._at_fork_reinit_lock_weakset = held, logs
        if child == 0:
            signal.alarm(SECONDS)
            self._move_to_copy()
            self.failure = ShortWrite(1) if error == SHORT else Failing(1, error, lasting=lasting)
            return True
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        copied = Disk(self.copies)
        tree = copied.tree()
        self.disk.contents |= copied.contents
        name = error if error == SHORT else errno.errorcode[error]
        key = self.remember(tree, f"{name}{' for good' if lasting else ''} at {operation}")
        stderr = (self.copies / "stderr").read_text(errors="replace")
        self.recording.failures.append(Failure(str(operation), name, lasting, code, stderr, key, self._half(copied)))
        return False

    def _half(self, copied: Disk) -> list[str]:
        """Find files of the copy that hold a part of what was to be written."""
        broken = [
            str(path.relative_to(self.copies))
            for path in self.copies.glob("runs/*/checkpoints/step-*")
            if checkpoint._defect(path)
        ]
        for path in self.copies.rglob("*.json"):
            name = str(path.relative_to(self.copies))
            if not TEMPORARY.search(name):
                try:
                    json.loads(path.read_bytes())
                except ValueError:
                    broken.append(name)
        return broken

    def _move_to_copy(self) -> None:
        """Let this process use the copy of the folder, and its files there for those that it has open."""
        prefix = f"{self.root}{os.sep}"
        for path in list(Path("/proc/self/fd").iterdir()):
            with suppress(OSError):  # that of the list itself
                target = str(path.readlink())
                if target.startswith(prefix):
                    self._reopen(int(path.name), self.copies / target.removeprefix(prefix))
        _enter(self.copies, self.copies)
        self.interceptor.root = str(self.copies)

    def _reopen(self, number: int, path: Path) -> None:
        position = os.lseek(number, 0, os.SEEK_CUR)
        flags = fcntl.fcntl(number, fcntl.F_GETFL) & ~os.O_CREAT
        descriptor = os.open(path, flags)
        os.lseek(descriptor, position, os.SEEK_SET)
        os.dup2(descriptor, number)
        os.close(descriptor)


def record(
    arguments: Sequence[str],
    root: Path,
    copies: Path,
    chosen: Callable[[int], Collection[tuple[int | str, bool]]] = lambda number: (),
    mutate: Callable[[], object] = int,
) -> Recording:
    """Run a command in a forked process and in a folder; `chosen` are the failures to try at each operation.

    `copies` is a folder to work in.
    """
    copies.mkdir()
    if (child := os.fork()) == 0:
        _record(arguments, root, copies, chosen, mutate)
    os.waitpid(child, 0)
    with (copies / "recording").open("rb") as file:
        return pickle.load(file)


def repeat(
    recording: Recording, key: str, arguments: Sequence[str], folder: Path, mutate: Callable[[], object] = int
) -> tuple[int, str]:
    """Run the command again in a state; return its exit code and its stderr."""
    shutil.rmtree(folder, ignore_errors=True)
    recording.write(key, folder)
    if (child := os.fork()) == 0:
        code = 98
        try:
            signal.alarm(SECONDS)
            _enter(folder, folder)
            mutate()
            code = ftaug.cli.run(list(arguments))
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code, (folder / "stderr").read_text(errors="replace")


def _enter(folder: Path, streams: Path) -> None:
    """Let this process work in a folder, write its streams to files, and not spend its time on drawing."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(streams / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdout, sys.stderr = (open(number, "w", buffering=1, closefd=False) for number in (1, 2))  # noqa: SIM115
    os.chdir(folder)
    os.environ["XDG_CACHE_HOME"] = "cache"  # in the folder, which a forked child changes
    Figure.savefig = lambda figure, image, **options: image.write(b"drawn")


def _record(arguments, root: Path, copies: Path, chosen, mutate: Callable[[], object]) -> None:
    code = 98
    try:
        _enter(root, copies)
        mutate()
        recorder = Recorder(Path(os.path.realpath(root)), Path(os.path.realpath(copies), "copy"), chosen)
        real = checkpoint.save

        def save(folder, step, *rest):
            path = real(folder, step, *rest)
            recorder.saved_step = step
            return path

        checkpoint.save = save
        recorder.interceptor = Interceptor(root, recorder)
        recorder.interceptor.install()
        code = ftaug.cli.run(list(arguments))
        if recorder.failure is None:
            recorder.interceptor.uninstall()
            recorder.remember(recorder.disk.tree(), "the end")
            for name, tree in recorder.disk.after_power_loss().items():
                recorder.remember(tree, f"power loss at the end: {name}")
            recorder.recording.code = code
            recorder.recording.contents = recorder.disk.contents
            (copies / "recording").write_bytes(pickle.dumps(recorder.recording))
    finally:
        os._exit(code)
