"""The files of a run folder: their names, and how to read them; imports no torch."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftaug.config.renamed import with_current_metrics
from ftaug.config.strict_json import nan_for_null
from ftaug.engine.system.run_contents import (
    Complete,
    Content,
    Environment,
    Evaluation,
    Folds,
    MetricsRow,
    ModelFile,
    Status,
    Thresholds,
)
from ftaug.errors import BadData

MANIFEST = "manifest.json"
"""The file of a checkpoint, or of a complete run, with the hashes of the others."""

STATE = "state.json"
"""The file of a checkpoint with everything that is not a tensor."""

PREFIX, TEMPORARY, TRASH = "step-", ".tmp-", ".trash-"
"""How the names of checkpoints, of unfinished files and folders, and of those that are being deleted begin."""

MODEL_FILE = "model.json"
PLUGINS_FOLDER, ORIGIN_FOLDER = "plugins", "backbone"
"""The folders with the experiment's plugins, and with the encoder that a network was built from."""

ENVIRONMENT_FILE, THRESHOLDS_FILE = "environment.json", "thresholds.json"

LASTING = (
    "experiment.yaml",
    "resolved.yaml",
    ENVIRONMENT_FILE,
    "samples.csv",
    "earlier_samples.csv",
    "metrics.jsonl",
    "unfreeze.json",
    THRESHOLDS_FILE,
    MODEL_FILE,
)
"""Files that no longer change once a run is complete."""

STATUS_FILE, COMPLETE_FILE = "status.json", "complete.json"
FOLDS_FILE = "folds.json"
STUDY_FILE, RUN_SPEC_FILE = "study.json", "run.json"
"""The description of a study, and of each of its runs, such as a trial of a search."""
EVALUATION = "evaluate-"
"""How the names of the results of an evaluation begin."""

OUT_OF_FOLD = "out-of-fold"
"""The name of the validation samples of folds in the names of files."""


CONTENTS: Mapping[str, type[Content]] = {
    MODEL_FILE: ModelFile,
    STATUS_FILE: Status,
    COMPLETE_FILE: Complete,
    FOLDS_FILE: Folds,
    ENVIRONMENT_FILE: Environment,
    THRESHOLDS_FILE: Thresholds,
    EVALUATION: Evaluation,
}
"""Types of the JSON files by name."""


def default_path(name: str, digest: str, run_dir: Path | None = None) -> Path:
    """Return the default path of a run, a function of its experiment; `run_dir` overrides it."""
    return run_dir if run_dir is not None else Path("runs", f"{name}-{digest[:8]}")


def fold_folder(path: Path, number: int) -> Path:
    """Return the run folder of a fold; folds count from 1."""
    return path / f"fold-{number}"


def path_of(folder: Path, step: int) -> Path:
    """Return the path of the checkpoint of a step."""
    return folder / f"{PREFIX}{step:07d}"


def steps(folder: Path) -> list[int]:
    """Return the steps with a checkpoint, valid or not, in ascending order."""
    candidates = (step_of(path) for path in folder.glob(f"{PREFIX}*") if path.is_dir())
    return sorted(step for step in candidates if step is not None)


def step_of(path: Path) -> int | None:
    """Parse the step from a checkpoint's name; None for a folder of another name."""
    digits = path.name.removeprefix(PREFIX)
    return int(digits) if path.name != digits and digits.isdecimal() else None


def read_json(path: Path, keys: Mapping[str, type] | None = None) -> dict[str, Any] | None:
    """Read a JSON file of the run folder and check the types of its values; None if it does not exist.

    They are those of `CONTENTS`, or of the given keys. Raises BadData if the file is damaged.
    """
    expected = CONTENTS.get(EVALUATION if path.name.startswith(EVALUATION) else path.name) if keys is None else None
    try:
        content = json.loads(read_regular(path))
        if expected is not None:
            expected.model_validate(content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, RecursionError, IsADirectoryError):
        content = None
    if not isinstance(content, dict) or not all(isinstance(content.get(key), of) for key, of in (keys or {}).items()):
        raise BadData(f"{path}: is damaged; restore it from a copy, or train again with --fresh")
    return content


def read_regular(path: Path) -> bytes:
    """Read a file; raises BadData for a pipe or a device, which reading might wait for or never end."""
    if not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode):
        raise BadData(f"{path}: is not a regular file; delete it")
    return path.read_bytes()


def lasting_files(run: Path) -> list[str]:
    """List the files of a run folder that no longer change once it is complete, by their relative paths."""
    folders = (run / PLUGINS_FOLDER, run / ORIGIN_FOLDER)
    files = [*(run / name for name in LASTING), *(path for folder in folders for path in folder.rglob("*"))]
    return [str(path.relative_to(run)) for path in files if path.is_file() and "__pycache__" not in path.parts]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a metrics.jsonl, with NaN for undefined numbers; raises BadData if it is damaged.

    Metrics have their present names, whichever version of ftaug wrote the rows.
    """
    try:
        rows = [json.loads(line) for line in read_regular(path).decode().split("\n") if line]
        for row in rows:
            MetricsRow.model_validate(row)
    except (ValueError, RecursionError):
        text = "is damaged; the same command restores it as long as the run is not complete"
        raise BadData(f"{path}: {text}") from None
    rows = nan_for_null(rows)
    return [{**row, "val": with_current_metrics(row["val"])} if "val" in row else row for row in rows]
