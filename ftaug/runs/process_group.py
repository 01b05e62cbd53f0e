"""What the processes of a run share: its folder, which rank 0 writes, the checkpoint to continue from, and the data."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ftaug import __version__
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system import checkpoint
from ftaug.engine.system.ranks import Ranks
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.system.world import World
from ftaug.errors import BadData, ExperimentError, FtaugError, RankLost, Stopped


class FollowedRunFolder(RunFolder):
    """A run folder that another process writes: writing does nothing."""

    def __init__(self, path: Path, digest: str) -> None:
        """Wrap a folder that rank 0 has opened."""
        self.path = path
        self.checkpoints = path / "checkpoints"
        self._digest = digest

    @property
    def digest(self) -> str:
        """The digest of the folder's experiment."""
        return self._digest

    def write(self, name: str, text: str) -> None:
        """Do nothing."""

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Do nothing."""

    def restore_metrics(self, text: str) -> None:
        """Do nothing."""

    def write_manifest(self) -> None:
        """Do nothing."""

    def set_best(self, step: int) -> None:
        """Do nothing."""

    def abandon(self) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing."""


def open_by_first(ranks: Ranks, path: Path, **options: Any) -> RunFolder:
    """Open the run folder on rank 0 as `RunFolder.open` does, then on the others for reading.

    Raises ExperimentError if the processes run other experiments, plugins or versions.
    """
    plugins = sha256(repr(sorted(options.get("extra_files", {}).items())).encode()).hexdigest()
    require_same_command({"experiment": options["digest"], "plugins": plugins[:16]}, ranks)
    if ranks.rank == 0:
        folder = RunFolder.open(path, **options)
        ranks.broadcast([str(folder.path), options["digest"]])
        return folder
    opened, digest = ranks.broadcast(None)
    return FollowedRunFolder(Path(opened), digest)


def require_same_command(values: Mapping[str, str], ranks: Ranks) -> None:
    """Raise ExperimentError if a value, or the version of ftaug or PyTorch, differs from that of rank 0."""
    mine = {**values, "ftaug": __version__, "PyTorch": version("torch")}
    first, host = ranks.broadcast([mine, socket.gethostname()])
    for name, value in mine.items():
        if value != first[name]:
            here = f"{name} {value} on {socket.gethostname()} (rank {ranks.rank})"
            text = f"{here} differs from {first[name]} on {host} (rank 0)"
            raise ExperimentError(f"{text}: all processes must run the same command in the same environment")


def newest_checkpoint(folder: RunFolder, ranks: Ranks) -> Path | None:
    """Return the checkpoint to continue from, the same for all processes; raises BadData."""

    def newest() -> str | None:
        latest = checkpoint.newest(folder.checkpoints)
        if latest is None and checkpoint.best(folder.path) is not None:
            raise BadData(f"{folder.path}: its checkpoints are missing; restore them, or start over with --fresh")
        return None if latest is None else str(latest)

    path = ranks.call_first(newest)
    return None if path is None else Path(path)


def require_same_data(data: Mapping[str, DataSplit], ranks: Ranks) -> None:
    """Raise BadData if the processes of a run read other data."""
    mine = {purpose: split.fingerprint for purpose, split in data.items()}
    first, host = ranks.broadcast([mine, socket.gethostname()])
    if mine != first:
        purpose = next(name for name in {**mine, **first} if mine.get(name) != first.get(name))
        here = f"{mine.get(purpose)} on {socket.gethostname()} (rank {ranks.rank})"
        there = f"{first.get(purpose)} on {host} (rank 0)"
        text = f"data.{purpose} has the fingerprint {here} and {there}"
        raise BadData(f"{text}: all processes must read the same files")


@contextmanager
def quiet(world: World, folder: Path) -> Iterator[None]:
    """Context manager in which a rank above 0 writes to `rank-N.log` in the run folder instead of the screen.

    The log stays if the rank fails.
    """
    if world.is_first:
        yield
        return
    log = folder / f"rank-{world.rank}.log"
    sys.stdout.flush(), sys.stderr.flush()
    screens = {number: os.dup(number) for number in (1, 2)}
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)
    for number in screens:
        os.dup2(descriptor, number)
    os.close(descriptor)
    failed = False
    try:
        yield
    except BaseException as error:
        failed = not isinstance(error, Stopped | RankLost)
        if failed and isinstance(error, FtaugError):
            os.write(2, f"{error}\n".encode(errors="backslashreplace"))
        raise
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        for number, screen in screens.items():
            os.dup2(screen, number)
            os.close(screen)
        if not failed:
            with suppress(OSError):
                log.unlink()
