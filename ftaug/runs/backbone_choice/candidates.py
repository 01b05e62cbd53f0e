"""The backbones to choose from, each with the experiment that it is used in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftaug.config.experiment import Experiment
from ftaug.config.value_lists import parse_list
from ftaug.errors import ExperimentError, FtaugError, Place, Problem
from ftaug.experiment_file import ExperimentFile


@dataclass(frozen=True)
class Candidate:
    """A backbone to choose from."""

    setting: str  # the value of `backbone`, as for an override
    experiment: Experiment


def candidates_of(file: ExperimentFile, overrides: Sequence[str], among: Sequence[str]) -> list[Candidate]:
    """Read the candidates from lists such as `resnet18,timm/resnet50`, or with settings, `{hf: {name: …}}`.

    Raises ExperimentError with all problems.
    """
    settings = parse_list("--among", among, "resnet18,resnet50")
    if len(settings) < 2:
        raise ExperimentError(
            f"--among: a choice needs two different backbones or more; got {', '.join(settings) or 'none'}"
        )
    candidates: list[Candidate] = []
    problems: list[Problem] = []
    for setting in settings:
        override = f"backbone={setting}"
        try:
            candidates.append(Candidate(setting, file.experiment([*overrides, override])))
        except FtaugError as error:
            problems += [_renamed(problem, override, f"--among '{setting}'") for problem in error.problems]
    if problems:
        raise ExperimentError(*dict.fromkeys(problems))
    return candidates


def _renamed(problem: Problem, override: str, option: str) -> Problem:
    """Return a problem of an override as one of the option."""
    if problem.place == Place(f"override '{override}'"):
        return Problem(problem.message, Place(option))
    return problem
