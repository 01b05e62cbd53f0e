"""Forked processes."""

import os
import pickle
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import torch

from ftaug.engine.system.ranks import joined
from ftaug.engine.system.world import World


def in_child(action) -> int:
    """Run in a forked process; return its exit code, or the signal's number negated."""
    child = os.fork()
    if child == 0:
        try:
            code = action() or 0
        except BaseException as error:
            code = getattr(error, "exit_code", 99)
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_ranks(folder, size, action):
    """Run an action in so many connected processes; return its results by rank, an error where one was raised."""
    rendezvous = folder / f"rendezvous-{size}-{len(list(folder.iterdir()))}"
    os.environ["FTAUG_RENDEZVOUS"] = str(rendezvous)
    files = [folder / f"{rendezvous.name}-{rank}.pickle" for rank in range(size)]

    def run(rank):
        try:
            with joined(World(rank, size, rank, size)) as ranks:
                result = action(ranks)
        except Exception as error:
            result = error
        files[rank].write_bytes(pickle.dumps(result))
        os._exit(0)

    children = []
    for rank in range(size):
        if (child := os.fork()) == 0:
            run(rank)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    del os.environ["FTAUG_RENDEZVOUS"]
    return [pickle.loads(file.read_bytes()) if file.exists() else None for file in files]


class Program:
    """Python code in a process group of its own, forked from this process, which has imported most already."""

    def __init__(self, code: str, arguments: Sequence[str] = (), folder: Path | None = None) -> None:
        """Start it with these arguments in a folder."""
        self._files = [os.memfd_create(name) for name in ("stdout", "stderr")]
        self._code: int | None = None
        self.output = ("", "")
        """What it printed and its messages, once it has ended."""
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setsid()
                os.chdir(folder or ".")
                self._redirect()
                if torch.cuda.is_available():  # the threads of its backward pass are missing after a fork
                    os.execv(sys.executable, [sys.executable, "-c", code, *arguments])
                # The first call after a fork replaces PyTorch's pool of threads; of two at once, one finds no pool.
                torch.set_num_threads(torch.get_num_threads())
                sys.argv[1:] = arguments
                exec(code, {"__name__": "__main__"})
                sys.stdout.flush()
                os._exit(0)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(99)

    def _redirect(self) -> None:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, file in enumerate(self._files, 1):
            os.dup2(file, number)
        sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1) for number in (1, 2))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    def poll(self, options: int = os.WNOHANG) -> int | None:
        """Return the exit code, or the signal's number negated; None while it runs."""
        if self._code is None and (ended := os.waitpid(self.pid, options))[0]:
            self._code = os.waitstatus_to_exitcode(ended[1])
            self.output = self.printed(), self._read(1)
            for file in self._files:
                os.close(file)
        return self._code

    def printed(self) -> str:
        """Return what it has printed, while it runs."""
        return self._read(0)

    def _read(self, number: int) -> str:
        return Path(f"/proc/self/fd/{self._files[number]}").read_text()

    def wait(self) -> int:
        """Wait for its end; return the exit code."""
        code = self.poll(0)
        assert code is not None
        return code

    def kill(self, number: int = signal.SIGKILL, *, group: bool = False) -> int:
        """Send a signal and wait for the end; return the exit code."""
        if self.poll() is None:
            (os.killpg if group else os.kill)(self.pid, number)
        return self.wait()


FTAUG = """
import os, sys
exec(sys.argv.pop(1))
import ftaug.cli
code = ftaug.cli.run(sys.argv[1:])
sys.stdout.flush()
os._exit(code)
"""


class Command(Program):
    """`ftaug` as a program."""

    def __init__(self, arguments: Sequence[str], folder: Path | None = None, before: str = "") -> None:
        """Start it in a folder; `before` is Python that it executes first."""
        super().__init__(FTAUG, [before, *arguments], folder)


def commands_of_ranks(size: int, arguments: Sequence[str], folder: Path, before: str = "") -> list[Command]:
    """Start `ftaug` in so many forked processes that connect to each other; `before` is Python that may use `rank`."""
    rendezvous = folder / f"rendezvous-{len(list(folder.iterdir()))}"
    commands = []
    for rank in range(size):
        world = {"RANK": rank, "WORLD_SIZE": size, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": size}
        variables = {name: str(value) for name, value in world.items()} | {"FTAUG_RENDEZVOUS": str(rendezvous)}
        commands.append(Command(arguments, folder, f"os.environ |= {variables}; rank = {rank}\n{before}"))
    return commands
