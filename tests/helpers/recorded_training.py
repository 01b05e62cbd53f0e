"""A training of a second, or another command, recorded with the states that a crash can leave."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sklearn.datasets  # noqa: F401 - here and not in each of the forked processes
import torch._dynamo  # noqa: F401
from command_scenarios import FAILING, Scenario
from crash_states import ERRORS, SHORT, Recording, record

import ftaug.runs.report.plots
import ftaug.runs.run_report.after_training
import ftaug.runs.train_file
import ftaug.runs.training  # noqa: F401

TRAIN = FAILING["train"].arguments


@dataclass
class Recorded:
    """A recorded command, and what it ended with."""

    recording: Recording
    whole: dict
    scenario: Scenario


def recorded(
    folder: Path,
    chosen: Callable = lambda number: (),
    mutate: Callable = int,
    scenario: Scenario = FAILING["train"],
    shared: Path | None = None,
) -> Recorded:
    """Run a command in a new folder; `chosen` are the failures to try at an operation, `mutate` plants a defect first.

    `shared` is a folder for what several recordings need.
    """
    root = folder / "root"
    root.mkdir()
    scenario.prepare(root, shared or folder)
    recording = record(scenario.arguments, root, folder / "copies", chosen, mutate)
    assert recording.code == 0, (folder / "copies" / "stderr").read_text()
    return Recorded(recording, scenario.results(root), scenario)


def every(number: int) -> list[tuple[int | str, bool]]:
    """Each error, once and for good, and a short write."""
    return [*((error, lasting) for error in ERRORS for lasting in (False, True)), (SHORT, False)]
