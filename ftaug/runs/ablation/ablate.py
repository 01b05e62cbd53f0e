"""Train the variants of an experiment with several seeds, and measure what each part contributes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ftaug.config.dump import folder_digest
from ftaug.config.registry import registry
from ftaug.engine.system.resume_check import stored_settings
from ftaug.engine.system.run_files import default_path
from ftaug.experiment_file import ExperimentFile
from ftaug.runs.ablation.effects import Effect, effects, power_note
from ftaug.runs.ablation.variants import Design, Variant
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.study.study_folder import StudyFolder
from ftaug.runs.study.study_run import RunSpec, StudyRun
from ftaug.runs.study.train_run import require_same_file
from ftaug.runs.study.work import work

BASELINE = "baseline"


@dataclass(frozen=True)
class VariantResult:
    """A variant with the effect of its part, or the error that ended one of its runs."""

    variant: Variant
    effect: Effect | None
    failure: str = ""


@dataclass(frozen=True)
class Ablation:
    """The result of an ablation."""

    folder: Path
    metric: str
    higher_is_better: bool
    seeds: Sequence[int]  # those of which all runs are complete
    baseline: Sequence[float]  # the metric of each seed
    results: Sequence[VariantResult]  # the most helpful part first; failed ones last
    notes: Sequence[str] = ()


def default_folder(design: Design, file: ExperimentFile) -> Path:
    """Return the folder of an ablation unless the user names one."""
    digest = folder_digest(design.baseline, file.path.absolute().parent)
    return Path(f"{default_path(design.baseline.name, digest)}-ablation")


def specs(design: Design, overrides: Sequence[str], seeds: int) -> list[RunSpec]:
    """Return all runs, seed by seed, so that an unfinished ablation has pairs."""
    changed = [(BASELINE, ()), *((_run_name(variant), variant.overrides) for variant in design.variants)]
    first = design.baseline.seed
    return [
        RunSpec(f"{name}-seed-{seed}", (*overrides, *change, f"seed={seed}"), {"variant": name, "seed": seed})
        for seed in range(first, first + seeds)
        for name, change in changed
    ]


def _run_name(variant: Variant) -> str:
    """Return the name of the runs of a variant; a name that no folder may have is replaced by a digest."""
    name = variant.name.replace("#", ".")
    if not re.fullmatch(r"[\w.-]+", name):
        plain = re.sub(r"[^\w.]+", "-", name).strip("-")[:40]
        content = " ".join(variant.overrides).encode()
        name = f"{plain}-{hashlib.sha256(content).hexdigest()[:6]}"
    return f"{variant.change}-{name}"


def train_all(
    folder: StudyFolder, file: ExperimentFile, planned: Sequence[RunSpec], train: Callable[[StudyRun], None]
) -> dict[str, StudyRun]:
    """Train the runs together with any other process; return them by name. Raises Stopped, Interrupted."""
    names = [spec.name for spec in planned]

    def next_run(runs: Sequence[StudyRun]) -> RunSpec | None:
        claimed = {run.spec.name for run in runs}
        return next((spec for spec in planned if spec.name not in claimed), None)

    with ProgressBar(len(planned), 0, unit="run") as progress_bar:

        def show(runs: Sequence[StudyRun], current: StudyRun | None) -> None:
            require_same_file(file)
            progress_bar.step = sum(run.is_finished for run in runs if run.spec.name in names)
            waiting = "" if progress_bar.step == len(planned) else "waiting for other processes"
            progress_bar.status(waiting if current is None else current.spec.name)

        runs = work(folder, next_run, train, show)
        show(runs, None)
    return {run.spec.name: run for run in runs if run.spec.name in names}


def measure(design: Design, folder: StudyFolder, runs: Mapping[str, StudyRun], seeds: int) -> Ablation:
    """Compute the effect of each part from finished runs; raises the error of the baseline if all of its runs failed.

    A seed whose baseline failed is left out, a variant with a failed run is not tested.
    """
    names = [BASELINE, *map(_run_name, design.variants)]
    every = range(design.baseline.seed, design.baseline.seed + seeds)
    table = [[runs[f"{name}-seed-{seed}"] for name in names] for seed in every]
    metric, higher_is_better = _metric(design, table)
    values = np.array([[_value(run, metric) for run in row] for row in table])
    is_paired = np.isfinite(values[:, 0])
    values, is_tested = values[is_paired], np.isfinite(values[is_paired]).all(axis=0)
    signs = np.array([-1 if variant.change == "removed" else 1 for variant in design.variants])
    differences = (signs * (values[:, 1:] - values[:, :1]))[:, is_tested[1:]]
    tested = iter(effects(differences, higher_is_better=higher_is_better))
    results = [
        VariantResult(variant, next(tested) if is_tested[index] else None, _failure(row[index] for row in table))
        for index, variant in enumerate(design.variants, start=1)
    ]
    results.sort(key=lambda result: -result.effect.benefit if result.effect is not None else np.inf)
    paired = [seed for seed, is_complete in zip(every, is_paired, strict=True) if is_complete]
    notes = [*design.notes, power_note(len(paired)), _missing_seeds(seeds - len(paired))]
    return Ablation(
        folder.path, metric, higher_is_better, paired, values[:, 0].tolist(), results, [*filter(None, notes)]
    )


def _metric(design: Design, table: Sequence[Sequence[StudyRun]]) -> tuple[str, bool]:
    """Return the metric that chooses the best checkpoint, and whether a higher one is better.

    Its default depends on the task, which a run has resolved. Raises the error of the baseline if all its runs failed.
    """
    baseline = [row[0] for row in table]
    complete = next((run for run in baseline if run.metrics is not None), None)
    if complete is None:
        failure = baseline[0].failure
        assert failure is not None
        raise failure.error(f"{baseline[0].path}: the experiment itself failed: {failure.message}")
    metric = str(json.loads(stored_settings(complete.path)["evaluate.best"]))
    return metric, metric != "loss" and registry("metric", design.baseline.modality)[metric].facts["higher_is_better"]


def _value(run: StudyRun, metric: str) -> float:
    """Return the metric of the best checkpoint of a run; nan if the run failed."""
    return float("nan") if run.metrics is None else float(run.metrics[metric])


def _failure(runs: Iterable[StudyRun]) -> str:
    """Return the first error of the runs of a variant; empty if all are complete."""
    return next((run.failure.message for run in runs if run.failure is not None), "")


def _missing_seeds(count: int) -> str:
    return f"{count} seed{'s' * (count > 1)} left out, as the experiment itself failed with them" if count else ""
