"""Compare two runs bit by bit: metrics, checkpoints, settings, machine, and the samples where they part."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ftaug.config.strict_json import dumps
from ftaug.engine.system.checkpoint_diff import FileDifference, compare_checkpoints
from ftaug.engine.system.resume_check import changes, stored_settings
from ftaug.engine.system.run_files import (
    ENVIRONMENT_FILE,
    FOLDS_FILE,
    MODEL_FILE,
    STATUS_FILE,
    path_of,
    read_json,
    steps,
)
from ftaug.errors import BadData, ExperimentError, FtaugError, MissingInput
from ftaug.runs.step_samples import StepSample, samples_of_both
from ftaug.runs.verification.checkpoints import checkpoint_defect, read_state

MOST_STEPS = 8
"""Number of steps up to the first differing row of metrics.jsonl whose samples are compared."""

Pair = tuple[Any, Any]


@dataclass(frozen=True)
class RowDifference:
    """The first row of metrics.jsonl that differs between two runs."""

    step: int
    after: int  # the step of the last equal row before it, 0 if there is none
    field: str  # such as `loss` or `val.accuracy`
    values: Pair  # None where a run has no such row or field


@dataclass(frozen=True)
class SampleDifference:
    """The first step whose samples differ between two runs."""

    step: int
    what: str  # `order`, `targets` or `values`
    names: list[str]  # those that differ, of the first run


@dataclass(frozen=True)
class RunDiff:
    """The differences between two runs."""

    runs: tuple[Path, Path]
    settings: Mapping[str, Pair]
    machine: Mapping[str, Pair]  # versions, device, threads
    data: Mapping[str, Pair]  # fingerprints of the splits
    row: RowDifference | None
    checkpoint: int | None  # the newest step that both have a good checkpoint of
    files: Sequence[FileDifference]
    newest: Pair  # the steps of the newest good checkpoints
    samples: SampleDifference | None = None
    samples_note: str = ""  # which steps were compared, or why they could not be

    @property
    def is_same(self) -> bool:
        """Whether both runs have the same metrics and tensors, at the same step."""
        same_tensors = self.checkpoint is not None and not any(file.differing for file in self.files)
        return self.row is None and same_tensors and self.newest[0] == self.newest[1]


def compare_runs(first: Path, second: Path, *, trust_plugins: bool = False) -> RunDiff:
    """Compare two run folders; raises MissingInput, BadData, ExperimentError for a folder of folds."""
    for run in (first, second):
        if (run / FOLDS_FILE).is_file():
            raise ExperimentError(f"{run}: holds folds; compare two of them: ftaug diff {first}/fold-1 {second}/fold-1")
        if not (run / "resolved.yaml").is_file():
            raise MissingInput(f"{run}: not a run folder (no resolved.yaml)")
    row = _first_row(read_metrics(first), read_metrics(second))
    good = [_good_steps(run) for run in (first, second)]
    common = max(set(good[0]) & set(good[1]), default=None)
    files = (
        []
        if common is None
        else compare_checkpoints(*(path_of(run / "checkpoints", common) for run in (first, second)))
    )
    newest = (max(good[0], default=None), max(good[1], default=None))
    machine = _pairs(_machine(first, newest[0]), _machine(second, newest[1]))
    data = _pairs(*((read_json(run / MODEL_FILE) or {}).get("data", {}) for run in (first, second)))
    is_shorter = row is not None and None in row.values and row.field == "step"
    samples, note = (None, "") if row is None or is_shorter else _compare_samples(first, second, row, trust_plugins)
    settings = changes(stored_settings(first), stored_settings(second))
    return RunDiff((first, second), settings, machine, data, row, common, files, newest, samples, note)


def read_metrics(run: Path) -> list[dict[str, str]]:
    """Read metrics.jsonl as flat rows of JSON texts, without times; raises BadData."""
    try:
        lines = (run / "metrics.jsonl").read_text(encoding="utf-8").split("\n")
        return [
            _flat({key: value for key, value in json.loads(line).items() if key != "time"}) for line in lines if line
        ]
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise BadData(f"{run / 'metrics.jsonl'}: cannot be read ({error})") from None


def _flat(value: Any, prefix: str = "") -> dict[str, str]:
    if not isinstance(value, dict):
        return {prefix: dumps(value)}
    return {k: v for key, inner in value.items() for k, v in _flat(inner, f"{prefix}.{key}" if prefix else key).items()}


def _first_row(first: Sequence[Mapping[str, str]], second: Sequence[Mapping[str, str]]) -> RowDifference | None:
    after = 0
    for one_row, other_row in zip(first, second, strict=False):
        if one_row != other_row:
            names = ["step", *one_row, *other_row]
            field = next(name for name in names if one_row.get(name) != other_row.get(name))
            step = min(int(one_row["step"]), int(other_row["step"]))
            return RowDifference(step, after, field, (one_row.get(field), other_row.get(field)))
        after = int(one_row["step"])
    if len(first) == len(second):
        return None
    longer = first if len(first) > len(second) else second
    step = int(longer[min(len(first), len(second))]["step"])
    return RowDifference(step, after, "step", (step, None) if longer is first else (None, step))


def _good_steps(run: Path) -> list[int]:
    folder = run / "checkpoints"
    digest = str((read_json(run / STATUS_FILE) or {}).get("digest", ""))
    return [step for step in steps(folder) if not checkpoint_defect(path_of(folder, step), digest)]


def _machine(run: Path, newest: int | None) -> dict[str, Any]:
    """Return what the bits of a run depend on besides its experiment: versions, processor, device, threads."""
    environment = read_json(run / ENVIRONMENT_FILE) or {}
    conditions = {} if newest is None else read_state(path_of(run / "checkpoints", newest)).get("conditions", {})
    names = ("python", "cpu", "cpu_capability", "cuda", "devices", "threads")
    facts = {name: environment.get(name) for name in names}
    return {**facts, **environment.get("packages", {}), **conditions}


def _pairs(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Pair]:
    return {key: (first.get(key), second.get(key)) for key in {**first, **second} if first.get(key) != second.get(key)}


def _compare_samples(
    first: Path, second: Path, row: RowDifference, trust_plugins: bool
) -> tuple[SampleDifference | None, str]:
    """Compare the samples of the steps up to the first differing row: their order, targets and augmented values."""
    steps = range(max(min(row.after + 1, row.step), row.step - MOST_STEPS + 1), row.step + 1)
    try:
        for step, *sides in zip(
            steps, *samples_of_both(first, second, steps, trust_plugins=trust_plugins), strict=True
        ):
            pairs = list(zip_longest(*sides, fillvalue=StepSample("none", "", "")))
            for what, field in (("order", "name"), ("targets", "target"), ("values", "digest")):
                if names := [a.name for a, b in pairs if getattr(a, field) != getattr(b, field)]:
                    return SampleDifference(step, what, names), ""
    except (FtaugError, KeyError) as error:
        return None, f"the samples cannot be recomputed ({error})"
    which = f"step {row.step}" if len(steps) == 1 else f"steps {steps[0]} to {row.step}"
    return None, f"the samples of {which} are the same"
