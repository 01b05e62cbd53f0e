"""Verify the files of a run that describe it: settings, samples, metrics, reports, calibration and exports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.yaml_document import parse, read
from ftaug.engine.loading.data_record import SAMPLES_FILE, purpose_of
from ftaug.engine.loading.data_record import read_rows as read_samples
from ftaug.engine.system.manifest import file_defect, read_manifest
from ftaug.engine.system.resume_check import stored_settings
from ftaug.engine.system.run_files import COMPLETE_FILE, ENVIRONMENT_FILE, LASTING, MANIFEST, MODEL_FILE, read_json
from ftaug.errors import BadData, FtaugError
from ftaug.runs.calibration_file import CALIBRATION_FILE, manifest_hash
from ftaug.runs.export.folder import EXPORTS, RECORD
from ftaug.runs.verification.file_check import FileCheck

METRICS = "metrics.jsonl"


def check_complete(run: Path) -> Iterator[FileCheck]:
    """Verify the files of a complete run against its manifest, and complete.json against metrics and `best`."""
    try:
        digests = read_manifest(run)
    except BadData as error:
        yield FileCheck(MANIFEST, "damaged", _without_path(error, run / MANIFEST))
        digests = None
    if digests is None:
        yield from _unhashed(run)
    else:
        for name, digest in digests.items():
            defect = file_defect(run / name, digest)
            yield FileCheck(name, "missing" if defect == "is missing" else "damaged" if defect else "good", defect)
    yield _complete(run)


def _unhashed(run: Path) -> Iterator[FileCheck]:
    """Check the format of the files of a run without a manifest, which older versions did not write."""
    for name in LASTING:
        if (run / name).exists():
            defect = format_defect(run / name)
            detail = defect or "no hash: the run was completed by an older version"
            yield FileCheck(name, "damaged" if defect else "unchecked", detail)


def _complete(run: Path) -> FileCheck:
    """Compare complete.json with the link `best` and with metrics.jsonl."""
    name = COMPLETE_FILE
    try:
        done = read_json(run / name)
        rows = _parse_rows((run / METRICS).read_bytes())
    except (BadData, OSError, ValueError):
        done, rows = None, []
    if done is None:
        return FileCheck(name, "damaged", f"cannot be read together with {METRICS}")
    values = [row["val"] for row in rows if row["step"] == done["best"] and "val" in row]
    if values and values[-1] != done["metrics"]:
        return FileCheck(name, "damaged", f"its metrics differ from those of step {done['best']} in {METRICS}")
    if rows and rows[-1]["step"] != done["step"]:
        return FileCheck(name, "damaged", f"ends at step {done['step']}, {METRICS} at {rows[-1]['step']}")
    return FileCheck(name)


def check_unfinished(run: Path, saved: Mapping[str, Any], *, is_running: bool) -> Iterator[FileCheck]:
    """Check the files of a run that is not complete, as far as the newest checkpoint describes them."""
    for name in LASTING:
        if name == METRICS or not (run / name).exists():
            continue
        if defect := format_defect(run / name):
            again = name in ("resolved.yaml", "experiment.yaml", ENVIRONMENT_FILE)
            yield FileCheck(name, "repairable" if again else "damaged", defect)
        elif name == SAMPLES_FILE and saved:
            yield _samples(run, saved.get("data", {}))
        else:
            yield FileCheck(name)
    yield _metrics(run, saved.get("metrics", ""), is_running=is_running)


def _samples(run: Path, fingerprints: Mapping[str, str]) -> FileCheck:
    """Compare the recorded samples of each split with the fingerprints in a checkpoint."""
    try:
        datasets = (read_json(run / MODEL_FILE, {"data": dict}) or {})["data"]
        shared = {name for name in ("val", "test") if _is_taken_from_train(run, name)}
        for purpose, fingerprint in fingerprints.items():
            dataset = "train" if purpose in shared else purpose
            members = {"train", *shared} if dataset == "train" else {dataset}
            ids = _ids(run, purpose, members, of_train=dataset == "train")
            if sha256(datasets[dataset].encode() + ids.tobytes()).hexdigest() != fingerprint:
                return FileCheck(SAMPLES_FILE, "damaged", f"its {purpose} samples are not those of the checkpoints")
    except (FtaugError, KeyError, AttributeError) as error:
        return FileCheck(SAMPLES_FILE, "damaged", f"cannot be compared with the checkpoints ({error})")
    return FileCheck(SAMPLES_FILE)


def _is_taken_from_train(run: Path, purpose: str) -> bool:
    return any(key.startswith((f"data.{purpose}.split", f"data.{purpose}.fold")) for key in stored_settings(run))


def _ids(run: Path, purpose: str, members: set[str], *, of_train: bool) -> np.ndarray:
    """Return the ids of the samples of a split: their positions among the recorded rows of its dataset."""
    splits = [row.split for row in read_samples(run / SAMPLES_FILE)]
    in_dataset = [s for s in splits if purpose_of(s) in members or (of_train and not s)]
    return np.array([index for index, split in enumerate(in_dataset) if split == purpose], np.int64)


def _metrics(run: Path, saved: str, *, is_running: bool) -> FileCheck:
    """Check that metrics.jsonl continues its text at the newest checkpoint, row by row in order."""
    try:
        content = (run / METRICS).read_bytes()
        if is_running:  # the last row may be incomplete
            content = content[: content.rfind(b"\n") + 1]
        _parse_rows(content)
        if content.startswith(saved.encode()):
            return FileCheck(METRICS)
        defect = "does not begin with the rows of the newest checkpoint"
    except FileNotFoundError:
        defect = "is missing"
    except (OSError, ValueError) as error:
        defect = str(error)
    return FileCheck(METRICS, "repairable", f"{defect}; the next start restores it from the checkpoint")


def _parse_rows(content: bytes) -> list[dict[str, Any]]:
    """Parse metrics.jsonl; raises ValueError if a row is damaged or out of order."""
    lines = content.decode().split("\n")
    if lines.pop():
        raise ValueError(f"line {len(lines) + 1} is incomplete")
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            if row["step"] < (rows[-1]["step"] if rows else 0):
                raise ValueError(f"line {number} is out of order")
        except (KeyError, TypeError, RecursionError, json.JSONDecodeError):
            raise ValueError(f"line {number} is damaged") from None
        rows.append(row)
    return rows


def format_defect(path: Path) -> str:
    """Return why a file cannot be read in the format that its name says, or the empty string."""
    try:
        if path.suffix in (".yaml", ".yml"):
            parse(read(path), str(path))
        elif path.name == MODEL_FILE:
            read_json(path)
        elif path.suffix == ".json":
            json.loads(path.read_bytes())
        elif path.suffix == ".jsonl":
            _parse_rows(path.read_bytes())
        elif path.name == SAMPLES_FILE:
            for _ in read_samples(path):
                pass
        elif path.suffix == ".html" and not path.read_bytes().rstrip().endswith(b"</html>"):
            return "is incomplete"
    except FtaugError as error:
        return _without_path(error, path)
    except (OSError, ValueError, RecursionError) as error:
        return str(error)
    return ""


def check_report(run: Path) -> Iterator[FileCheck]:
    """Check the format of the files in the report, and of the records of steps, which have no hash."""
    for path in sorted((run / "report").glob("*")):
        if path.suffix in (".json", ".html"):
            defect = format_defect(path)
            text = f"{defect}; write it anew: ftaug report or ftaug evaluate" if defect else ""
            yield FileCheck(str(path.relative_to(run)), "damaged" if defect else "good", text)
    for path in sorted((run / "nonfinite").glob("*.json")):
        defect = format_defect(path)
        yield FileCheck(str(path.relative_to(run)), "damaged" if defect else "good", defect)


def check_calibration(run: Path) -> Iterator[FileCheck]:
    """Check that calibration.json can be read and belongs to the checkpoint that it names."""
    path = run / CALIBRATION_FILE
    if not path.exists():
        return
    try:
        content = read_json(path, {"checkpoint": str, "manifest": str}) or {}
    except BadData:
        yield FileCheck(CALIBRATION_FILE, "damaged", f"write it anew: ftaug calibrate {run}")
        return
    fits = content["manifest"] == manifest_hash(run / "checkpoints" / content["checkpoint"])
    detail = "" if fits else f"of another state of {content['checkpoint']}, so it is not used"
    yield FileCheck(CALIBRATION_FILE, "good" if fits else "unchecked", detail)


def check_exports(run: Path) -> Iterator[FileCheck]:
    """Verify exported files against the hashes in the record of their export."""
    for record in sorted((run / EXPORTS).glob(f"*/{RECORD}")):
        target = record.parent.relative_to(run)
        try:
            content = read_json(record, {"files": list}) or {"files": []}
        except BadData:
            yield FileCheck(str(record.relative_to(run)), "damaged", f"export again: ftaug export {run}")
            continue
        yield from _exported(run, target, content["files"], content.get("sha256"))
    for leftover in sorted([*(run / EXPORTS).glob(".tmp-*"), *(run / EXPORTS).glob(".old-*")]):
        yield FileCheck(str(leftover.relative_to(run)), "leftover", "of an export that was interrupted")


def _exported(run: Path, target: Path, files: Sequence[str], digests: Mapping[str, str] | None) -> Iterator[FileCheck]:
    for name in files:
        path = str(target / name)
        if not (run / path).is_file():
            yield FileCheck(path, "missing", f"is missing; export again: ftaug export {run}")
        elif digests is None:
            yield FileCheck(path, "unchecked", "no hash: it was exported by an older version")
        elif name in digests:
            defect = file_defect(run / path, digests[name])
            text = f"{defect}; export again: ftaug export {run}" if defect else ""
            yield FileCheck(path, "damaged" if defect else "good", text)


def _without_path(error: FtaugError, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")
