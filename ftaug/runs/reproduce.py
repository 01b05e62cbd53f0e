"""Train a complete run again from its own folder, and compare the two bit by bit."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from ftaug.engine.system.run_files import COMPLETE_FILE, FOLDS_FILE, MODEL_FILE, read_json
from ftaug.errors import BadData, DataChanged, ExperimentError
from ftaug.runs.run_diff import RunDiff, compare_runs
from ftaug.runs.train_file import train_file
from ftaug.runs.trained_model import load_experiment
from ftaug.runs.training import unchanged_data

OVERRIDES = ("train.max_time=null", "loggers=[]")
"""Settings without influence on the result that a repetition does without."""


def default_output(run: Path) -> Path:
    """Return the folder beside a run that its repetition is trained in."""
    named = run if run.name not in ("", "..") else run.resolve()
    return named.with_name(f"{named.name}-reproduced")


def reproduce(run: Path, output: Path, device: str, *, trust_plugins: bool = False) -> RunDiff:
    """Train a run again, or continue to, and compare the two.

    Raises ExperimentError if it is not a single complete run of training, BadData if its data changed, and Stopped.
    """
    facts = _facts_of_complete_run(run)
    if output.resolve() == run.resolve():
        raise ExperimentError(f"--output: {output} is the run itself; choose another folder")
    experiment = load_experiment(run, trust_plugins=trust_plugins)
    try:
        unchanged_data(experiment, run)
    except DataChanged as error:
        raise BadData(f"the run cannot be reproduced: {error}") from None
    train_file(
        run / "resolved.yaml",
        [*facts.get("built_from", []), *OVERRIDES],
        run_dir=output,
        fresh=False,
        from_=None,
        folds=None,
        device=facts["chosen"]["device"] if device == "auto" else device,
        trust_plugins=trust_plugins,
        report=False,
    )
    return compare_runs(run, output, trust_plugins=trust_plugins)


def _facts_of_complete_run(run: Path) -> dict[str, Any]:
    """Read the description of a complete run of training; raises ExperimentError, BadData."""
    if (run / FOLDS_FILE).is_file():
        raise ExperimentError(f"{run}: holds folds; reproduce each: ftaug reproduce {shlex.quote(str(run / 'fold-1'))}")
    facts = read_json(run / MODEL_FILE) or {}
    if "mixed" in facts:
        raise ExperimentError(f"{run}: was averaged ({facts['mixed']}), not trained; reproduce the runs it was made of")
    if read_json(run / COMPLETE_FILE) is None or "chosen" not in facts:
        raise ExperimentError(f"{run}: is not a complete run; continue it first: ftaug train {shlex.quote(str(run))}")
    return facts
