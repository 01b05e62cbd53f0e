"""Self-training: label samples by several runs, train a student on them, and keep it only if validation allows it.

The runs are those of a study, and the pseudo-labels a file that is written at once, so that the same command continues
what a kill left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ftaug.config.experiment import Experiment
from ftaug.config.strict_json import dumps
from ftaug.engine.system.run_files import default_path, read_json
from ftaug.engine.system.storage import replace, storage_errors
from ftaug.errors import ExperimentError
from ftaug.runs.open_run import open_run
from ftaug.runs.pseudo_label_table import Options, describe, write_pseudo_labels
from ftaug.runs.pseudo_labels import NothingLabeled
from ftaug.runs.report import console
from ftaug.runs.report.intervals import records_of
from ftaug.runs.study.study_folder import StudyFolder
from ftaug.runs.study.study_run import RunSpec, StudyRun, paired
from ftaug.runs.study.work import work
from ftaug.statistics.comparison import Difference, compare
from ftaug.statistics.metric_table import standard_metrics
from ftaug.statistics.records import Records

TABLE, LABELS_FILE, RESULT_FILE = "pseudo-labels.csv", "pseudo-labels.json", "self-training.json"
STUDENT, METRIC = "student", "accuracy"

Train = Callable[[StudyRun], None]


@dataclass(frozen=True)
class SelfTraining:
    """A self-training as it was asked for."""

    experiment: Experiment
    digest: str  # of the experiment, as in the name of a run folder
    overrides: Sequence[str]
    unlabeled: Sequence[str]
    members: int  # runs that label
    options: Options

    @property
    def description(self) -> dict[str, Any]:
        """What the folder is for: a JSON value."""
        return {
            "kind": "self-training",
            "experiment": self.digest,
            "overrides": [*self.overrides],
            "unlabeled": [str(Path(name).absolute()) for name in self.unlabeled],
            "members": self.members,
            **asdict(self.options),
        }

    def member(self, number: int) -> RunSpec:
        """Return a run on the labeled samples, from 1; the first is that of the experiment itself."""
        return RunSpec(member_name(number), (*self.overrides, *self._paired(number - 1)))

    def student(self, dataset: str) -> RunSpec:
        """Return the run on the labeled and the pseudo-labeled samples."""
        return RunSpec(STUDENT, (*self.overrides, *self._paired(0), f"data.pseudo_labels={dataset}"))

    def _paired(self, offset: int) -> tuple[str, ...]:
        seed, split_seed = self.experiment.seed, self.experiment.data.split_seed
        return paired(seed + offset, seed if split_seed is None else split_seed)


def member_name(number: int) -> str:
    """Return the name of a member's folder, from 1."""
    return f"member-{number}"


def check(training: SelfTraining) -> None:
    """Raise ExperimentError if there is nothing to compare on, or the experiment already has pseudo-labels."""
    if training.experiment.data.val is None:
        raise ExperimentError("data.val: self-training compares the student on validation samples; set it")
    if training.experiment.data.pseudo_labels is not None:
        raise ExperimentError("data.pseudo_labels: self-training writes its own; leave it out")


def open_folder(training: SelfTraining, output: Path | None) -> StudyFolder:
    """Create the folder, or check that it holds this self-training; raises ExperimentError, RunFolderTaken."""
    name = f"{training.experiment.name}-self-training"
    folder = StudyFolder(output or default_path(name, training.digest))
    recorded = folder.description
    if recorded is None:
        folder.describe(training.description)
    elif recorded != training.description:
        differing = [key for key, value in training.description.items() if recorded.get(key) != value]
        text = f"{folder.path} holds a self-training with other {', '.join(differing)}; choose another --output"
        raise ExperimentError(text)
    return folder


def run_self_training(
    training: SelfTraining, folder: StudyFolder, train: Train, *, trust_plugins: bool
) -> dict[str, Any]:
    """Train the members, label, train the student, and choose; return the result as a JSON value. Raises Stopped."""
    _train_all(folder, [training.member(number) for number in range(1, training.members + 1)], train)
    labels = _pseudo_labels(training, folder, trust_plugins=trust_plugins)
    baseline = folder.path / member_name(1)
    if labels["dataset"] is None:
        result = {"run": str(baseline), "accepted": False, "reason": labels["reason"], "difference": None}
    else:
        console.say(*describe(labels))
        _train_all(folder, [training.student(labels["dataset"])], train)
        result = choose(baseline, folder.path / STUDENT, trust_plugins=trust_plugins)
    result = {**result, "pseudo_labels": labels}
    _write(folder.path / RESULT_FILE, result)
    return result


def _train_all(folder: StudyFolder, specs: Sequence[RunSpec], train: Train) -> None:
    """Train runs that are not complete yet; raises the error of one that fails."""

    def plan(runs: Sequence[StudyRun]) -> RunSpec | None:
        claimed = {run.spec.name for run in runs}
        return next((spec for spec in specs if spec.name not in claimed), None)

    for run in work(folder, plan, train):
        if run.failure is not None:
            text = f"{run.path}: {run.failure.message}; delete that folder to try again"
            raise run.failure.error(text)


def _pseudo_labels(training: SelfTraining, folder: StudyFolder, *, trust_plugins: bool) -> dict[str, Any]:
    """Label the unlabeled samples once; return the summary, without a dataset if no sample gets a label."""
    file = folder.path / LABELS_FILE
    if (summary := read_json(file, {})) is not None:
        return summary
    members = [folder.path / member_name(number) for number in range(1, training.members + 1)]
    try:
        table = folder.path.absolute() / TABLE
        labels = write_pseudo_labels(members, training.unlabeled, table, training.options, trust_plugins=trust_plugins)
        summary = {**labels.summary}
        if labels.failures.count:
            console.say(f"{labels.failures.count:,} samples could not be read:", *labels.failures.shown)
    except NothingLabeled as error:
        summary = {"dataset": None, "reason": str(error)}
    _write(file, summary)
    return summary


def choose(baseline: Path, student: Path, *, trust_plugins: bool) -> dict[str, Any]:
    """Choose between the run on labeled samples alone and the student, on their validation samples."""
    records = [_validation_records(run, trust_plugins=trust_plugins) for run in (baseline, student)]
    difference = compare(records[:1], records[1:], {METRIC: standard_metrics(records[0].task)[METRIC]})[METRIC]
    accepted = is_accepted(difference)
    return {
        "run": str(student if accepted else baseline),
        "accepted": accepted,
        "reason": None if accepted else "the student is not better on validation",
        "difference": {
            "metric": METRIC,
            "samples": len(records[0]),
            "labeled": difference.first,
            "student": difference.second,
            "value": difference.value,
            "low": difference.low,
            "high": difference.high,
            "p": difference.p,
        },
    }


def is_accepted(difference: Difference) -> bool:
    """Whether the student is kept: it is better on validation. Of equal runs the one with fewer assumptions is kept."""
    return difference.value > 0


def _validation_records(run: Path, *, trust_plugins: bool) -> Records:
    opened = open_run(run, trust_plugins=trust_plugins)
    split = opened.splits["val"]
    return records_of(opened.compute_metrics(opened.logits(split), split), split)


def conclusion(result: Mapping[str, Any]) -> str:
    """Say in a line which run is the result, and why."""
    difference = result["difference"]
    if difference is None:
        return f"result: {result['run']}, trained on the labeled samples alone: {result['reason']}"
    interval = (
        "" if difference["low"] is None else f", 95 % interval {difference['low']:+.4f} to {difference['high']:+.4f}"
    )
    measured = (
        f"{difference['metric']} on {difference['samples']:,} validation samples {difference['student']:.4f}, and "
        f"{difference['labeled']:.4f} without pseudo-labels (difference {difference['value']:+.4f}{interval})"
    )
    if result["accepted"]:
        return f"result: {result['run']}, the student: {measured}"
    return f"result: {result['run']}, trained on the labeled samples alone, as the student is not better: {measured}"


def _write(path: Path, content: Mapping[str, Any]) -> None:
    with storage_errors(f"{path}: cannot be written"):
        replace(path, (dumps(content, indent=1) + "\n").encode())
