"""The run folder: configuration, checkpoints, metrics, log and status of one run, written by one process."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ftaug.config.renamed import with_current_metrics
from ftaug.config.strict_json import dumps, nan_for_null
from ftaug.engine.system import checkpoint
from ftaug.engine.system.environment import environment
from ftaug.engine.system.lock import Lock
from ftaug.engine.system.manifest import manifest_of
from ftaug.engine.system.resume_check import differences
from ftaug.engine.system.run_files import (
    COMPLETE_FILE,
    ENVIRONMENT_FILE,
    FOLDS_FILE,
    MANIFEST,
    RUN_SPEC_FILE,
    STATUS_FILE,
    lasting_files,
    path_of,
    read_json,
    read_rows,
    steps,
)
from ftaug.engine.system.run_log import start_logging, stop_logging
from ftaug.engine.system.signals import StopRequests
from ftaug.engine.system.storage import (
    make_durable,
    make_inside,
    open_inside,
    remove,
    replace,
    replace_link,
    require_links,
    storage_errors,
    write_all,
)
from ftaug.errors import (
    BadData,
    ExperimentError,
    FtaugError,
    Interrupted,
    NoProgress,
    RunFolderTaken,
    Stopped,
    StorageError,
    as_storage_error,
)

log = logging.getLogger("ftaug")

STARTS = 3


class RunFolder:
    """A run folder, locked for writing by this process until it is closed."""

    def __init__(self, path: Path, lock: Lock) -> None:
        """Wrap a folder that is locked already; use `open` instead."""
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.attempt = 1
        self._is_new = self._fresh = False
        self._lock: Lock | None = lock
        self._metrics: int | None = None
        self._status: dict[str, Any] = {}
        self._handlers: list[logging.Handler] = []

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        experiment_yaml: str,
        resolved_yaml: str,
        digest: str,
        extra_files: Mapping[str, bytes] | None = None,
        fresh: bool = False,
    ) -> Self:
        """Create a run folder, or resume in it. `kept` are further files to store.

        With `fresh` it is the next free one, except that a stopped start with `fresh` is resumed.

        Raises RunFolderTaken, ExperimentError if it holds another experiment, and FtaugError after three starts that
        died without progress.
        """
        path = fresh_path(path, digest) if fresh else path
        is_new = not path.exists()
        try:
            _make(path)
            folder = cls(path, Lock(path))
            folder._is_new, folder._fresh = is_new, fresh
            try:
                folder._begin(experiment_yaml, resolved_yaml, digest, extra_files or {})
            except BaseException:
                with suppress(StorageError):  # would hide the error above
                    folder.close()
                raise
        except OSError as error:
            if storage_error := as_storage_error(error):
                raise storage_error from error
            raise RunFolderTaken(f"{path}: cannot be written ({error.strerror}); choose another --run-dir") from error
        return folder

    def _begin(self, experiment_yaml: str, resolved_yaml: str, digest: str, extra_files: Mapping[str, bytes]) -> None:
        """Check that the folder holds this experiment, count the attempt, and clean up after a crash."""
        status = read_json(self.path / STATUS_FILE)
        if status is not None and status.get("digest") != digest:
            raise ExperimentError(*differences(self.path, resolved_yaml))
        if self.complete is not None:
            return
        self._count_attempt(status or {}, digest)
        make_inside(self.checkpoints)
        checkpoint.clean(self.checkpoints)
        for leftover in [*self.path.glob(".tmp-*"), *self.path.glob("rank-*.log")]:
            remove(leftover)
        require_links(self.path)
        for name, content in extra_files.items():
            make_inside((self.path / name).parent)
            replace(self.path / name, content)
        self.write("experiment.yaml", experiment_yaml)
        self.write("resolved.yaml", resolved_yaml)
        self.write(ENVIRONMENT_FILE, dumps(environment(), indent=1) + "\n")
        self._metrics = open_inside(self.path / "metrics.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self._handlers = start_logging(self.path / "train.log")
        log.info("attempt %d, pid %d, newest checkpoint at step %d", self.attempt, os.getpid(), self._status["step"])
        if status is not None and status.get("running"):
            log.warning("%s: the previous start was killed (out of memory?)", self.path)
        elif status is not None and status.get("crashed"):
            log.warning("%s: the previous start ended with an internal error, see crash.log", self.path)

    def _count_attempt(self, status: Mapping[str, Any], digest: str) -> None:
        """Count this start; raises if too many in a row died at the same step, so that automatic restarts end."""
        step = max(steps(self.checkpoints), default=0)
        crashed = bool(status.get("crashed"))
        died = (crashed or status.get("running", False)) and status["step"] == step
        deaths = status["deaths"] + 1 if died else 0
        self.attempt = status.get("attempt", 0) + 1
        progressed = status.get("step") != step
        stuck = deaths >= STARTS
        self._status = {
            "digest": digest,
            "attempt": self.attempt,
            "step": step,
            "starts_at_step": 1 if progressed else status.get("starts_at_step", 0) + 1,
            "deaths": 0 if stuck else deaths,
            "running": not stuck,
            "fresh": self._fresh,
        }
        self._write_status()
        StopRequests.before_exit.append(self._end_status)
        if stuck:
            text = f"{self.path}: no progress in {STARTS} starts, each ended after step {step} and before the next"
            if crashed:
                raise FtaugError(f"{text} checkpoint by an internal error; see crash.log; the same command tries again")
            raise NoProgress(
                f"{text} checkpoint, killed, probably because memory ran out; see train.log, and try a smaller "
                f"train.micro_batch or fewer data.workers; the same command tries again"
            )

    @property
    def digest(self) -> str:
        """The digest of the folder's experiment."""
        return str(self._status["digest"])

    @property
    def complete(self) -> dict[str, Any] | None:
        """The last step, the best step and its metrics, as written by `finish`; None while the run is not complete."""
        done = read_json(self.path / COMPLETE_FILE)
        return done and {**done, "metrics": with_current_metrics(nan_for_null(done["metrics"]))}

    def write(self, name: str, text: str) -> None:
        """Write a small file atomically."""
        with storage_errors(f"cannot write {self.path / name}"):
            replace(self.path / name, text.encode(errors="surrogateescape"))

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Append one row to metrics.jsonl."""
        assert self._metrics is not None
        with storage_errors(f"cannot write {self.path / 'metrics.jsonl'}"):
            write_all(self._metrics, (dumps(row) + "\n").encode())

    def metrics_text(self) -> str:
        """Return the text of metrics.jsonl, to store in a checkpoint."""
        return self._metrics_bytes().decode(errors="replace")

    def restore_metrics(self, text: str) -> None:
        """Reset metrics.jsonl to its text at a checkpoint; the run appends the later rows again."""
        assert self._metrics is not None
        saved, now = text.encode(), self._metrics_bytes()
        with storage_errors(f"cannot write {self.path / 'metrics.jsonl'}"):
            if now.startswith(saved):
                os.ftruncate(self._metrics, len(saved))
                return
            log.warning("%s: is damaged; restored from the checkpoint", self.path / "metrics.jsonl")
            os.ftruncate(self._metrics, 0)
            write_all(self._metrics, saved)

    def _metrics_bytes(self) -> bytes:
        assert self._metrics is not None
        with storage_errors(f"cannot read {self.path / 'metrics.jsonl'}"):
            return os.pread(self._metrics, os.fstat(self._metrics).st_size, 0)

    def read_metrics(self) -> list[dict[str, Any]]:
        """Read the rows of metrics.jsonl; raises BadData."""
        return read_rows(self.path / "metrics.jsonl")

    def set_best(self, step: int) -> None:
        """Point the link `best` to the checkpoint of a step."""
        with storage_errors(f"cannot write {self.path / 'best'}"):
            replace_link(self.path / "best", path_of(Path("checkpoints"), step))

    def finish(self, step: int, best: Mapping[str, Any]) -> None:
        """Mark the run as complete, with the best evaluation's step and metrics."""
        assert self._metrics is not None
        with storage_errors(f"cannot write {self.path / 'metrics.jsonl'}"):
            os.fsync(self._metrics)  # from now on no checkpoint restores it
        self.write_manifest()
        done = {"step": step, "best": best["step"], "metrics": best["metrics"]}
        self.write(COMPLETE_FILE, dumps(done, indent=1) + "\n")

    def write_manifest(self) -> None:
        """Write the hashes of the files that no longer change once the run is complete."""
        with storage_errors(f"cannot write {self.path / MANIFEST}"):
            replace(self.path / MANIFEST, manifest_of(self.path, lasting_files(self.path)))

    def abandon(self) -> None:
        """Delete a folder that this start created, if it has no checkpoint yet."""
        if self._is_new and not steps(self.checkpoints):
            with suppress(StorageError):  # would hide the error that ended the run
                self.close()
            shutil.rmtree(self.path, ignore_errors=True)
            with suppress(OSError):  # `runs` too, if nothing else is in it
                self.path.parent.rmdir()

    def close(self, orderly: bool = True) -> None:
        """Close the files and release the lock; an orderly end does not count as a start that died."""
        if self._lock is None:
            return
        stop_logging(self._handlers)
        try:
            with nullcontext() if orderly else suppress(StorageError):  # would hide the error that ended the run
                self._end_status(crashed=not orderly)
        finally:
            with suppress(ValueError):
                StopRequests.before_exit.remove(self._end_status)
            if self._metrics is not None:
                os.close(self._metrics)
            self._lock.release()
            self._lock = None

    def _end_status(self, *, crashed: bool = False) -> None:
        """Record in status.json that this start has ended, by a crash or in order."""
        if self._status.get("running"):
            self._status |= {"running": False, "crashed": crashed}
            self._write_status()

    def _write_status(self) -> None:
        self.write(STATUS_FILE, dumps(self._status, indent=1) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = 130 if isinstance(error, KeyboardInterrupt) else FtaugError.exit_code
        self._status["exit_code"] = 0 if error is None else getattr(error, "exit_code", interrupted)
        if isinstance(error, FtaugError) and not isinstance(error, Stopped | Interrupted | StorageError):
            self._status["fresh"] = False  # it failed: the next `--fresh` starts a new folder
        with nullcontext() if error is None else suppress(StorageError):  # would hide the error that ended the run
            self.close(orderly=error is None or isinstance(error, FtaugError | KeyboardInterrupt))


def _make(path: Path) -> None:
    """Create the folder and its parent; raises RunFolderTaken if it holds anything but a run."""
    if not path.parent.parent.is_dir():
        raise RunFolderTaken(f"{path}: {path.parent.parent} does not exist; choose another --run-dir")
    make_durable(path)
    names = {entry.name for entry in path.iterdir() if not entry.name.startswith(".")} - {RUN_SPEC_FILE}
    if names and STATUS_FILE not in names:
        raise RunFolderTaken(f"{path}: is neither empty nor a run folder; choose another --run-dir")


def fresh_path(path: Path, digest: str) -> Path:
    """Return the path that `--fresh` trains in: the first of `path`, `path-2`, `path-3` … that does not exist.

    If the last existing one was started by `--fresh` and stopped before its end, return that one.
    """
    number, last, free = 1, path, path
    while free.exists():
        number += 1
        last, free = free, path.with_name(f"{path.name}-{number}")
    return last if _was_stopped(last, digest) else free


def _was_stopped(path: Path, digest: str) -> bool:
    """Return whether a folder holds a run that was started with `--fresh` and stopped before its end."""
    try:
        status = read_json(path / STATUS_FILE) or read_json(path / FOLDS_FILE) or {}
        statuses = [status, *(read_json(file) or {} for file in path.glob(f"fold-*/{STATUS_FILE}"))]
    except BadData:
        return False
    ended = (path / COMPLETE_FILE).exists() or status.get("complete", False)
    is_running = any(fold.get("running", False) for fold in statuses)
    return bool(status.get("fresh")) and status.get("digest") == digest and not ended and not is_running
