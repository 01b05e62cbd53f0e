"""The files of a run folder: their names, and how to read them; imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftaug.config.renamed import with_current_metrics
from ftaug.config.strict_json import nan_for_null
from ftaug.errors import BadData

MANIFEST = "manifest.json"
"""The file of a checkpoint with the hashes of the others."""

MODEL_FILE = "model.json"
MODEL_KEYS = {
    "classes": list,
    "multi_label": bool,
    "activation": str,
    "preprocessing": dict,
    "class_counts": list,
}
"""Required keys of model.json, with their types."""

COMPLETE = {"step": int, "best": int, "metrics": dict}
"""Required keys of complete.json, with their types."""

FOLDS_FILE = "folds.json"
OUT_OF_FOLD = "out-of-fold"
"""The name of the validation samples of folds in the names of files."""


def default_path(name: str, digest: str, run_dir: Path | None = None) -> Path:
    """Return the default path of a run, a function of its experiment; `run_dir` overrides it."""
    return run_dir if run_dir is not None else Path("runs", f"{name}-{digest[:8]}")


def fold_folder(path: Path, number: int) -> Path:
    """Return the run folder of a fold; folds count from 1."""
    return path / f"fold-{number}"


def read_json(path: Path, keys: Mapping[str, type] | None = None) -> dict[str, Any] | None:
    """Read a JSON file of the run folder and check the types of its keys; None if it does not exist.

    Raises BadData if it is damaged.
    """
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, RecursionError, IsADirectoryError):
        content = None
    if not isinstance(content, dict) or not all(isinstance(content.get(k), t) for k, t in (keys or {}).items()):
        raise BadData(f"{path}: is damaged; restore it from a copy, or train again with --fresh")
    return content


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a metrics.jsonl, with NaN for undefined numbers; raises BadData if it is damaged.

    Metrics have their present names, whichever version of ftaug wrote the rows.
    """
    try:
        rows = [nan_for_null(json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (ValueError, RecursionError):
        rows = [None]
    if not all(isinstance(row, dict) and "step" in row for row in rows):
        raise BadData(f"{path}: is damaged; the same command restores it as long as the run is not complete")
    return [{**row, "val": with_current_metrics(row["val"])} if "val" in row else row for row in rows]
