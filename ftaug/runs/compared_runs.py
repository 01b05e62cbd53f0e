"""Read the runs to compare: their settings, and the records that `ftaug evaluate` wrote, but not their models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.engine.system.resume_check import changes, stored_settings
from ftaug.engine.system.run_files import FOLDS_FILE, MODEL_FILE, OUT_OF_FOLD, fold_folder, read_json
from ftaug.errors import BadData, MissingInput
from ftaug.interfaces.data import Task
from ftaug.runs import calibration_file, sample_records
from ftaug.runs.sample_records import SampleRecords
from ftaug.runs.thresholds import read as read_thresholds
from ftaug.statistics.records import require_finite


@dataclass(frozen=True)
class RunSettings:
    """A run folder, or a folder of folds, as far as it is known without its model."""

    folder: Path
    task: Task
    settings: dict[str, str]  # dotted keys of the experiment, without the seed; fingerprints of the data
    seed: str
    is_folds: bool

    def is_repeat_of(self, other: RunSettings) -> bool:
        """Whether two runs differ by their seed alone."""
        return self.seed != other.seed and not changes(self.settings, other.settings)

    def file_split(self, split: str) -> str:
        """Return the name of a split in the names of files: folds predict the validation samples out of fold."""
        return OUT_OF_FOLD if self.is_folds and split == "val" else split

    def has_records(self, split: str) -> bool:
        """Whether `ftaug evaluate` has written records of the split."""
        return sample_records.existing_path(self.folder, self.file_split(split)) is not None


def read_settings(folder: Path) -> RunSettings:
    """Read the settings and the task of a run folder; raises MissingInput, BadData."""
    folds = read_json(folder / FOLDS_FILE)
    members = [folder] if folds is None else [fold_folder(folder, number) for number in range(1, folds["folds"] + 1)]
    if not (members[0] / "resolved.yaml").is_file():
        raise MissingInput(f"{folder}: not a run folder (no resolved.yaml); `ftaug train` prints the folder it writes")
    facts = read_json(members[0] / MODEL_FILE)
    if facts is None:
        raise MissingInput(f"{folder}: has no {MODEL_FILE}; run `ftaug train` on its experiment first")
    settings = stored_settings(members[0])
    settings |= {f"data.{name} (fingerprint)": str(digest)[:8] for name, digest in facts.get("data", {}).items()}
    settings |= {"weights averaged by": facts["mixed"]} if "mixed" in facts else {}
    if "seed" not in settings:
        raise BadData(f"{members[0] / 'resolved.yaml'}: is damaged; restore it from a copy")
    seed = settings.pop("seed")
    if folds is not None:
        settings.pop("data.val.fold", None)
    classes = tuple(facts["classes"])
    thresholds = [each for member in members if (each := read_thresholds(member, classes)) is not None]
    mean = tuple(np.mean(thresholds, axis=0).tolist()) if thresholds else None
    task = Task(classes, facts["multi_label"], facts.get("regression", False), mean)
    return RunSettings(folder, task, settings, seed, folds is not None)


def choose_split(runs: Sequence[RunSettings], split: str | None) -> str:
    """Return the split to compare on; raises MissingInput, with the commands to run, if a run has no records of it."""
    names = [split] if split else ["test", "val"]
    chosen = next((name for name in names if any(run.has_records(name) for run in runs)), split)
    missing = [run for run in runs if not (chosen and run.has_records(chosen))]
    if missing:
        option = f" --split {chosen}" if chosen else ""
        of_split = f" of its {chosen} samples" if chosen else ""
        raise MissingInput(
            *(f"{run.folder}: has no records{of_split}; write them: {command(run, option)}" for run in missing)
        )
    assert chosen is not None
    return chosen


def command(run: RunSettings, options: str = "") -> str:
    """Return the command that writes the records of a run."""
    return f"ftaug evaluate {run.folder}{options}"


def read_records(run: RunSettings, split: str) -> SampleRecords:
    """Read the records of a split of a run; raises BadData if they are damaged or hold what is not a finite number."""
    name = run.file_split(split)
    path = sample_records.existing_path(run.folder, name) or sample_records.path_of(run.folder, name)
    thresholds = _report(run, split).get("thresholds")  # of calibrated probabilities, if the records hold such
    task = run.task if thresholds is None else replace(run.task, thresholds=tuple(thresholds.values()))
    result = sample_records.read(path, task, command(run, f" --split {split}"))
    try:
        require_finite(result.records)
    except BadData as error:
        raise BadData(f"{path}: {error}") from None
    return result


def stale_records(run: RunSettings, split: str) -> str:
    """Return a caution if checkpoint or calibration are others than when the records were written; else nothing."""
    report = _report(run, split)
    best = run.folder / "best"
    if run.is_folds or not best.is_symlink() or report.get("checkpoint") is None:
        return ""
    rewrite = f"write them anew: {command(run, f' --split {split}')}"
    if report["checkpoint"] != best.resolve().name:
        return (
            f"{run.folder}: its records are of {report['checkpoint']}, and its best checkpoint is now "
            f"{best.resolve().name}; {rewrite}"
        )
    calibration = calibration_file.read(run.folder, run.task)
    facts = calibration.facts if calibration is not None and calibration.fits(best.resolve()) else None
    if report.get("calibration") != facts:
        return f"{run.folder}: its records are not of its present calibration; {rewrite}"
    return ""


def uneven_calibration(runs: Sequence[RunSettings], split: str) -> str:
    """Return a caution if the records of some runs are calibrated and those of others are not; else nothing."""
    calibrated = [run for run in runs if "calibration" in _report(run, split)]
    others = [run for run in runs if run not in calibrated]
    if not calibrated or not others:
        return ""
    return (
        f"{calibrated[0].folder} is calibrated and {others[0].folder} is not, which changes NLL, Brier score and "
        f"calibration errors; calibrate it too: ftaug calibrate {others[0].folder}"
    )


def _report(run: RunSettings, split: str) -> dict[str, Any]:
    """Read the report that was written with the records of a split; empty if there is none."""
    return read_json(run.folder / "report" / f"evaluate-{run.file_split(split)}.json") or {}


def check_tasks(runs: Sequence[RunSettings]) -> None:
    """Raise BadData if the runs do not predict the same classes."""
    first = runs[0]
    for run in runs[1:]:
        if run.task.kind != first.task.kind:
            kinds = (each.task.kind.replace("_", "-") for each in (first, run))
            raise BadData(f"{run.folder}: is of another task than {first.folder} ({' and '.join(kinds)})")
        if run.task.classes != first.task.classes:
            what = "numbers" if run.task.regression else "classes"
            only = [name for name in (*first.task.classes, *run.task.classes) if not _in_both(name, first, run)]
            difference = f"'{only[0]}' is of one alone" if only else "they are in another order"
            raise BadData(f"{run.folder}: predicts other {what} than {first.folder}: {difference}")


def _in_both(name: str, first: RunSettings, second: RunSettings) -> bool:
    return name in first.task.classes and name in second.task.classes


def with_groups(records: Sequence[SampleRecords]) -> list[SampleRecords]:
    """Give records of the same samples the groups of the first that has any: the draws are then the same."""
    groups = next((each.records.groups for each in records if each.records.groups is not None), None)
    return [replace(each, records=replace(each.records, groups=groups)) for each in records]


def best_metric(run: RunSettings) -> str:
    """Return the metric that chose the best checkpoint, by the name that it has with an interval."""
    best = str(json.loads(run.settings.get("evaluate.best", '"loss"')))
    if best == "loss":
        return "rmse" if run.task.regression else "nll"
    for key, value in run.settings.items():
        section, _, rest = key.partition(f".{best}.")
        if section.startswith("evaluate.metrics.") and rest == "average":
            return f"{best}_{json.loads(value)}"
        if section.startswith("evaluate.metrics.") and rest == "k":
            return f"{best}_{value}".replace("top_k_", "top_")
    return best
