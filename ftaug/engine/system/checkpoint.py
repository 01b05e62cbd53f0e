"""Checkpoints: directories of safetensors and JSON, committed by one rename and verified before they are used."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import signal
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_safetensors
from torch import Tensor

from ftaug.config.strict_json import dumps
from ftaug.engine.system.storage import remove, sha256, storage_errors, sync_folder, write_durable
from ftaug.errors import BadData, Diverged, StorageError, is_lack_of_memory

log = logging.getLogger("ftaug")

PREFIX, TEMPORARY, TRASH = "step-", ".tmp-", ".trash-"
STATE, MANIFEST, TENSORS = "state.json", "manifest.json", ".safetensors"


def save(
    folder: Path,
    step: int,
    tensors: Mapping[str, Mapping[str, Tensor]],
    state: Mapping[str, Any],
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Write the checkpoint of a step, so that it is there whole or not at all; `about` goes into every file of tensors.

    Raises Diverged where the model is not finite and StorageError where the disk fails; older checkpoints stay.
    """
    _require_finite(tensors.get("model", {}), step)
    final = path_of(folder, step)
    temporary = folder / f"{TEMPORARY}{step:07d}-{os.getpid()}"
    with storage_errors(f"cannot save the checkpoint of step {step} in {folder}"):
        try:
            _write(temporary, tensors, state, {"ftaug": dumps(about or {})})
            if final.exists():
                if not _fault(final) and (final / MANIFEST).read_bytes() == (temporary / MANIFEST).read_bytes():
                    shutil.rmtree(temporary)
                    return final
                _discard(final)
            _crash_point("before_rename")
            temporary.rename(final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        _crash_point("after_rename")
        sync_folder(folder)
        for ahead in steps(folder):  # a run goes on from the newest that verifies, so these did not
            if ahead > step:
                _discard(path_of(folder, ahead))
    return final


def require_room(folder: Path, size: int, last: int = 2) -> None:
    """Raise StorageError where the disk has no room for the checkpoints, each of so many bytes.

    While one is saved there are the last ones, the best, and itself.
    """
    needed = max(1, last + 2 - len(steps(folder))) * size
    free = shutil.disk_usage(folder).free
    if free < needed:
        have, want = f"{free / 1e6:,.0f} MB free", f"checkpoints take {needed / 1e6:,.0f} MB"
        raise StorageError(f"{folder}: {have}, and {want}; free some space, or choose another --run-dir")


def newest(folder: Path) -> Path | None:
    """Return the newest checkpoint that verifies, None where there is none; raises BadData where all are corrupt."""
    faults = []
    for step in reversed(steps(folder)):
        path = path_of(folder, step)
        fault = _fault(path)
        if not fault:
            return path
        if path.exists():
            faults.append(fault)
            log.warning("checkpoint %s is corrupt (%s): taking the one before", path, fault)
    if faults:
        raise BadData(f"{folder}: no checkpoint is whole ({faults[0]}): start over with --fresh")
    return None


def best(folder: Path) -> Path | None:
    """The checkpoint that a run folder's `best` names, None where there is no such link; raises BadData.

    A copy of a run folder may have the checkpoint itself in place of the link.
    """
    link = folder / "best"
    if not link.is_symlink():
        return link if link.is_dir() else None
    target = link.readlink()
    if target.parent.name != "checkpoints" or not target.name.startswith(PREFIX):
        raise BadData(f"{link}: leads to {target}, which is no checkpoint of the run; delete it")
    return folder / "checkpoints" / target.name


def load(path: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Read a checkpoint's tensors, by the names that they were saved under, and its state; raises BadData."""
    if fault := _fault(path):
        raise BadData(f"checkpoint {path} is corrupt ({fault}): take another one or train again")
    try:
        tensors = {file.name.removesuffix(TENSORS): load_file(file) for file in sorted(path.glob(f"*{TENSORS}"))}
        return tensors, json.loads((path / STATE).read_bytes())
    except (SafetensorError, ValueError, OSError, RuntimeError) as error:  # also where it is deleted meanwhile
        if is_lack_of_memory(error):
            raise
        raise BadData(f"checkpoint {path} cannot be read: {error}") from error


def path_of(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step is."""
    return folder / f"{PREFIX}{step:07d}"


def steps(folder: Path) -> list[int]:
    """The steps that have a checkpoint, verified or not, in ascending order."""
    found = (step_of(path) for path in folder.glob(f"{PREFIX}*") if path.is_dir())
    return sorted(step for step in found if step is not None)


def step_of(path: Path) -> int | None:
    """The step that a checkpoint is named after; None for a folder of another name."""
    digits = path.name.removeprefix(PREFIX)
    return int(digits) if path.name != digits and digits.isdecimal() else None


def prune(folder: Path, keep: Collection[int], last: int = 2) -> None:
    """Delete all checkpoints but the last ones and those to keep."""
    for step in steps(folder)[:-last]:
        if step not in keep:
            _discard(path_of(folder, step))


def clean(folder: Path) -> None:
    """Delete what a crash left half written or half deleted; only for the one process that writes here."""
    for leftover in [*folder.glob(f"{TEMPORARY}*"), *folder.glob(f"{TRASH}*")]:
        remove(leftover)


def _write(
    folder: Path, tensors: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any], metadata: dict[str, str]
) -> None:
    """Fill a directory; the manifest is last, so that its presence says that all else is there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in tensors.items():
        copies = {
            key: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for key, tensor in content.items()
        }
        write_durable(folder / f"{name}{TENSORS}", to_safetensors(copies, metadata))
    write_durable(folder / STATE, dumps(state, indent=1).encode())
    _crash_point("after_write")
    write_durable(folder / MANIFEST, _manifest(folder))
    sync_folder(folder)


def _manifest(folder: Path) -> bytes:
    """The sizes and hashes of a directory's files, always in the same spelling."""
    files = sorted(path for path in folder.iterdir() if path.name != MANIFEST and not path.name.startswith("."))
    rows = {path.name: {"size": path.stat().st_size, "sha256": sha256(path)} for path in files}
    return dumps({"files": rows}, indent=1).encode()


def _fault(path: Path) -> str:
    """Say what is wrong with a checkpoint; the empty string if it is whole."""
    try:
        if (path / MANIFEST).read_bytes() != _manifest(path):
            return "its files differ from its manifest"
    except OSError as error:
        if error.errno in (errno.ENOMEM, errno.EMFILE, errno.ENFILE):
            raise  # it says nothing about the file
        return f"{Path(error.filename or path).name}: {error.strerror}"
    return ""


def _discard(path: Path) -> None:
    """Delete a checkpoint; its name goes first, so that none is ever seen half deleted."""
    trash = path.with_name(f"{TRASH}{path.name}-{os.getpid()}")
    with suppress(FileNotFoundError):
        remove(trash)
        path.rename(trash)
        _crash_point("during_prune")
        remove(trash)


def _require_finite(model: Mapping[str, Tensor], step: int) -> None:
    for name, tensor in model.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise Diverged(
                f"'{name}' is not finite at step {step}: nothing was saved; try a lower lr.peak or a clip_norm"
            )


def _crash_point(name: str) -> None:
    """Die here if a test asks for it."""
    if os.environ.get("FTAUG_TEST_CRASH") == name:
        os.kill(os.getpid(), signal.SIGKILL)
