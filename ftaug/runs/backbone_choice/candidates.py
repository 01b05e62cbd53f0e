"""The backbones to choose from, each with the experiment that it is used in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ftaug.config.experiment import Experiment
from ftaug.config.yaml_document import parse_value
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
    settings = [*dict.fromkeys(_text(value) for text in among for value in _values(text))]
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


def _values(text: str) -> list[Any]:
    """Parse a list without its brackets."""
    try:
        return list(parse_value(f"[{text}]", "--among"))
    except ExperimentError as error:
        problem = error.problems[0]
        text = f"--among '{text}': {problem.message}"
        raise ExperimentError(f"{text}; expected names such as resnet18,resnet50") from None


def _text(value: Any) -> str:
    """Return a value of `backbone` as the text of an override."""
    if isinstance(value, str):
        return value
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6).strip()


def _renamed(problem: Problem, override: str, option: str) -> Problem:
    """Return a problem of an override as one of the option."""
    if problem.place == Place(f"override '{override}'"):
        return Problem(problem.message, Place(option))
    return problem
