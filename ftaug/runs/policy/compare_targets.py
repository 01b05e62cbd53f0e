"""Train each backbone with a policy and with its reference, and compare the two."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ftaug.config.dump import folder_digest
from ftaug.engine.system.run_files import default_path
from ftaug.experiment_file import ExperimentFile
from ftaug.runs.ablation import ablate
from ftaug.runs.ablation.ablate import Ablation
from ftaug.runs.policy.transfer import TransferTarget
from ftaug.runs.report import console
from ftaug.runs.study.study_folder import study_of
from ftaug.runs.study.study_run import StudyRun


def default_folder(file: ExperimentFile, overrides: Sequence[str]) -> Path:
    """Return the folder of a transfer unless the user names one."""
    experiment = file.experiment(overrides)
    return Path(f"{default_path(experiment.name, folder_digest(experiment, file.path.absolute().parent))}-transfer")


def compare_targets(
    file: ExperimentFile, targets: Sequence[TransferTarget], path: Path, seeds: int, train: Callable[[StudyRun], None]
) -> list[tuple[TransferTarget, Ablation]]:
    """Compare policy and reference on each backbone, in a folder of its own; raises Stopped, Interrupted."""
    folders = [study_of(path / folder_name(target), "ablate", target.design.baseline) for target in targets]
    results = []
    for target, folder in zip(targets, folders, strict=True):
        planned = ablate.specs(target.design, target.overrides, seeds)
        console.say(f"{target.backbone}: {len(planned)} runs in {folder.path}")
        runs = ablate.train_all(folder, file, planned, train)
        results.append((target, ablate.measure(target.design, folder, runs, seeds)))
    return results


def folder_name(target: TransferTarget) -> str:
    """Return the name of the folder of a backbone; one with settings, or a slash, has a digest in it."""
    if re.fullmatch(r"[\w.-]+", target.backbone):
        return target.backbone
    plain = re.sub(r"[^\w.]+", "-", target.backbone).strip("-")[:40]
    return f"{plain}-{hashlib.sha256(target.backbone.encode()).hexdigest()[:6]}"
