"""A run of a study: its overrides, and its state as its folder shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftaug.errors import FtaugError

FAILURE_FILE = "failure.json"


@dataclass(frozen=True)
class RunSpec:
    """What to train: the experiment file with overrides, in a folder of this name within the study."""

    name: str
    overrides: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)  # JSON: for example the trial, its values and its seed


@dataclass(frozen=True)
class Failure:
    """The error that ended a run for good."""

    exit_code: int
    message: str

    def error(self, message: str) -> FtaugError:
        """Return an error with the exit code of the failure."""
        kinds = [FtaugError]
        for kind in kinds:
            kinds += kind.__subclasses__()
        fitting = [kind for kind in kinds if kind.exit_code == self.exit_code]
        return (fitting or kinds)[0](message)


@dataclass(frozen=True)
class StudyRun:
    """A run that a process has claimed."""

    spec: RunSpec
    path: Path
    metrics: Mapping[str, float] | None = None  # of its best checkpoint; None until it is complete
    failure: Failure | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the run is complete or has failed for good."""
        return self.metrics is not None or self.failure is not None


def paired(seed: int, split_seed: int) -> tuple[str, ...]:
    """Return the overrides of a run with a seed of its own on the data split of another seed.

    Runs with the same two seeds have the same samples in the same order, whatever else differs.
    """
    return f"seed={seed}", f"data.split_seed={split_seed}"
