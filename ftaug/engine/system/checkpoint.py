"""Save and load checkpoints: directories of safetensors and JSON, committed by one rename, verified on loading."""

from __future__ import annotations

import json
import logging
import os
import shutil
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
from ftaug.engine.system.manifest import UNREADABLE, manifest_of
from ftaug.engine.system.run_files import (
    MANIFEST,
    PREFIX,
    STATE,
    TEMPORARY,
    TRASH,
    path_of,
    read_regular,
    step_of,
    steps,
)
from ftaug.engine.system.storage import remove, storage_errors, sync_folder, write_durable
from ftaug.errors import BadData, Diverged, StorageError, is_lack_of_memory

log = logging.getLogger("ftaug")

TENSORS = ".safetensors"


def save(
    folder: Path,
    step: int,
    tensors: Mapping[str, Mapping[str, Tensor]],
    state: Mapping[str, Any],
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Save the checkpoint of a step atomically; `about` is stored in the metadata of every safetensors file.

    Raises Diverged if a tensor is not finite and StorageError if the disk fails; older checkpoints stay.
    """
    for name, content in tensors.items():
        _require_finite(name, content, step)
    final = path_of(folder, step)
    temporary, replaced = folder / f"{TEMPORARY}{step:07d}-{os.getpid()}", None
    with storage_errors(f"cannot save the checkpoint of step {step} in {folder}"):
        try:
            _write(temporary, tensors, state, {"ftaug": dumps(about or {})})
            if final.exists():
                if not _defect(final) and (final / MANIFEST).read_bytes() == (temporary / MANIFEST).read_bytes():
                    shutil.rmtree(temporary)
                    sync_folder(folder)  # the process that saved it may have been killed before
                    return final
                replaced = _to_trash(final)  # after a crash, `clean` restores it
            temporary.rename(final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync_folder(folder)
        if replaced is not None:
            remove(replaced)
        for ahead in steps(folder):  # a run resumes from the newest valid one: later ones are corrupt
            if ahead > step:
                _discard(path_of(folder, ahead))
    return final


def require_room(folder: Path, size: int, last: int = 2) -> None:
    """Raise StorageError if the disk has no room for the checkpoints, each of `size` bytes.

    While one is being saved, there are the last ones, the best and the new one.
    """
    needed = max(1, last + 2 - len(steps(folder))) * size
    free = shutil.disk_usage(folder).free
    if free < needed:
        free_text, needed_text = f"{free / 1e6:,.0f} MB free", f"checkpoints take {needed / 1e6:,.0f} MB"
        raise StorageError(f"{folder}: {free_text}, and {needed_text}; free some space, or choose another --run-dir")


def newest(folder: Path) -> Path | None:
    """Return the newest valid checkpoint, None if there are none; raises BadData if all are corrupt."""
    defects = []
    for step in reversed(steps(folder)):
        path = path_of(folder, step)
        defect = _defect(path)
        if not defect:
            return path
        if path.exists():
            defects.append(defect)
            log.warning("checkpoint %s is corrupt (%s): taking the one before", path, defect)
    if defects:
        raise BadData(f"{folder}: no checkpoint is intact ({defects[0]}): start over with --fresh")
    return None


def best(folder: Path) -> Path | None:
    """Return the checkpoint that a run folder's link `best` points to, None if there is no link; raises BadData.

    In a copy of a run folder, `best` may be the checkpoint itself.
    """
    link = folder / "best"
    if not link.is_symlink():
        return link if link.is_dir() else None
    target = link.readlink()
    if target.parent.name != "checkpoints" or not target.name.startswith(PREFIX):
        raise BadData(f"{link}: points to {target}, which is not a checkpoint of the run; delete it")
    return folder / "checkpoints" / target.name


def load(path: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """Load a checkpoint: its tensors, by the names that they were saved under, and its state; raises BadData."""
    if defect := _defect(path):
        raise BadData(f"checkpoint {path} is corrupt ({defect}): take another one or train again")
    try:
        tensors = {file.name.removesuffix(TENSORS): load_file(file) for file in sorted(path.glob(f"*{TENSORS}"))}
        return tensors, json.loads((path / STATE).read_bytes())
    except (SafetensorError, ValueError, OSError, RuntimeError) as error:  # OSError also if it is deleted meanwhile
        if is_lack_of_memory(error):
            raise
        raise BadData(f"checkpoint {path} cannot be read: {error}") from error


def prune(folder: Path, keep: Collection[int], last: int = 2) -> None:
    """Delete all checkpoints except the last ones and those of the steps in `keep`."""
    for step in steps(folder)[:-last]:
        if step not in keep:
            with storage_errors(f"cannot delete the checkpoint of step {step} in {folder}"):
                _discard(path_of(folder, step))


def clean(folder: Path) -> None:
    """Delete incomplete checkpoints after a crash, and restore one that was being replaced.

    Only for the process that holds the lock.
    """
    for trash in folder.glob(f"{TRASH}{PREFIX}*"):
        final = folder / trash.name.removeprefix(TRASH).rpartition("-")[0]
        step = step_of(final)
        if step is not None and step > max(steps(folder), default=-1) and not _defect(trash):
            trash.rename(final)
    for leftover in [*folder.glob(f"{TEMPORARY}*"), *folder.glob(f"{TRASH}*")]:
        remove(leftover)


def _write(
    folder: Path, tensors: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any], metadata: dict[str, str]
) -> None:
    """Write the files of a checkpoint; the manifest last, so that its presence means that all files are complete."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in tensors.items():
        copies = {
            key: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for key, tensor in content.items()
        }
        write_durable(folder / f"{name}{TENSORS}", to_safetensors(copies, metadata))
    write_durable(folder / STATE, dumps(state, indent=1).encode())
    write_durable(folder / MANIFEST, manifest_of(folder))
    sync_folder(folder)


def _defect(path: Path) -> str:
    """Verify a checkpoint against its manifest; return the defect, or the empty string if it is valid."""
    try:
        if read_regular(path / MANIFEST) != manifest_of(path):
            return "its files differ from its manifest"
    except BadData as error:
        return str(error)
    except OSError as error:
        if error.errno in UNREADABLE:
            raise
        return f"{Path(error.filename or path).name}: {error.strerror}"
    return ""


def _discard(path: Path) -> None:
    """Delete a checkpoint; renamed first, so that no reader sees it partly deleted."""
    with suppress(FileNotFoundError):
        remove(_to_trash(path))


def _to_trash(path: Path) -> Path:
    """Rename a checkpoint to be deleted; return its new path."""
    trash = path.with_name(f"{TRASH}{path.name}-{os.getpid()}")
    remove(trash)
    path.rename(trash)
    return trash


def _require_finite(name: str, tensors: Mapping[str, Tensor], step: int) -> None:
    """Raise Diverged if a tensor of the model, the average or the optimizer is not finite."""
    for key, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise Diverged(
                f"'{key}' of the {name} is not finite at step {step}: nothing was saved; try a lower lr.peak or a "
                "clip_norm"
            )
