"""Verify the checkpoints of a run against their manifests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftaug.engine.system.manifest import file_defect, read_manifest
from ftaug.engine.system.run_files import MANIFEST, STATE, TEMPORARY, TRASH, path_of, read_json, step_of, steps
from ftaug.errors import BadData
from ftaug.runs.verification.file_check import FileCheck


def check_checkpoints(run: Path, digest: str) -> Iterator[FileCheck]:
    """Verify all checkpoints of a run, the newest last, and the link `best`.

    Those that a trainer deletes meanwhile are left out.
    """
    folder = run / "checkpoints"
    for step in steps(folder):
        path = path_of(folder, step)
        defect = checkpoint_defect(path, digest) and checkpoint_defect(path, digest)  # it may have been replaced
        if defect and not path.exists():
            continue
        yield FileCheck(str(path.relative_to(run)), "damaged" if defect else "good", defect)
    yield from _best(run, digest)
    for leftover in sorted([*folder.glob(f"{TEMPORARY}*"), *folder.glob(f"{TRASH}*")]):
        yield FileCheck(str(leftover.relative_to(run)), "leftover", "of a save that was interrupted")


def newest_good(run: Path, checks: Sequence[FileCheck]) -> Path | None:
    """Return the newest good one of the verified checkpoints, from which the run continues; None if there is none."""
    good = (run / check.path for check in checks if check.state == "good")
    return max((path for path in good if step_of(path) is not None), default=None, key=step_of)  # type: ignore[arg-type]


def checkpoint_defect(path: Path, digest: str) -> str:
    """Return how the files of a checkpoint differ from its manifest, or the empty string if they do not."""
    try:
        digests = read_manifest(path)
        if digests is None:
            return f"{MANIFEST} is missing"
        files = {file.name for file in path.iterdir() if file.name != MANIFEST and not file.name.startswith(".")}
        for name, expected in digests.items():
            if defect := file_defect(path / name, expected):
                return f"{name}: {defect}"
        if unknown := sorted(files - digests.keys()):
            return f"{unknown[0]} is not in its manifest"
        state = read_state(path)
    except BadData as error:
        return str(error)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "belongs to another experiment" if state.get("digest", digest) != digest else ""


def read_state(path: Path) -> Mapping[str, Any]:
    """Read everything of a checkpoint that is not a tensor; raises BadData."""
    return read_json(path / STATE) or {}


def _best(run: Path, digest: str) -> Iterator[FileCheck]:
    """Verify the link `best`; in a copy of a run folder it may be the checkpoint itself."""
    link = run / "best"
    if link.is_symlink():
        target = link.readlink()
        if target.parent.name != "checkpoints" or step_of(target) is None:
            yield FileCheck("best", "damaged", f"points to {target}, which is not a checkpoint; delete it")
        elif not (run / "checkpoints" / target.name).is_dir() and link.readlink() == target:
            yield FileCheck("best", "missing", f"{target} is missing; delete the link to use the newest checkpoint")
        else:
            yield FileCheck("best", "good", f"step {step_of(target)}")
    elif link.is_dir():
        defect = checkpoint_defect(link, digest)
        yield FileCheck("best", "damaged" if defect else "good", defect)
