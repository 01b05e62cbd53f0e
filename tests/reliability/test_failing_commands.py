"""Full and broken disks at the file operations of other commands than `train`: exit code 74, and nothing half."""

import contextlib

import pytest
from command_scenarios import FAILING
from crash_checks import problems_of_failure, problems_of_state
from crash_states import ERRORS
from recorded_training import TRAIN, recorded
from tiny_run import write_files

from ftaug.cli import run as ftaug


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A folder with a complete run."""
    folder = tmp_path_factory.mktemp("shared")
    write_files(folder)
    with contextlib.chdir(folder):
        assert ftaug([*TRAIN, "--run-dir", "run"]) == 0
    return folder


def once_each(number: int):
    """One failure at each operation: each error, once and for good."""
    return [(ERRORS[number % 4], number % 3 == 0)]


QUICK = ("evaluate", "lr-find")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FAILING if name != "train"],
)
def test_a_failing_disk_ends_with_74_and_the_command_can_be_repeated(name, shared, tmp_path):
    run = recorded(tmp_path, once_each, scenario=FAILING[name], shared=shared)
    assert len(run.recording.failures) >= 3
    failures = {f"{each.error} at {each.operation}": problems_of_failure(run, each) for each in run.recording.failures}
    assert {name: problems for name, problems in failures.items() if problems} == {}
    for key in list(run.recording.states)[:: max(1, len(run.recording.states) // 3)]:
        assert problems_of_state(run, key, tmp_path / "again") == [], run.recording.states[key].causes
