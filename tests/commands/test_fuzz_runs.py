"""Damaged files of run folders are read or refused with an error for the user."""

import shutil

import pytest
from fuzz_targets import run_folders
from fuzzing import findings

from ftaug.cli import run


@pytest.fixture
def evaluated(desk, tmp_path):
    copy = tmp_path / "desk-run"
    shutil.copytree(desk / "run", copy, symlinks=True)
    assert run(["evaluate", str(copy)]) == 0
    return copy


def test_damaged_run_folders_are_read_or_refused(evaluated, tmp_path):
    found = list(findings(run_folders(tmp_path, evaluated), 120, seed=0))
    assert not found, found[0].text
