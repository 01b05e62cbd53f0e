"""Specifications, failures and paired seeds of the runs of a study."""

import pytest

from ftaug import errors
from ftaug.runs.study.study_run import Failure, RunSpec, StudyRun, paired


@pytest.mark.parametrize(
    ("code", "kind"), [(1, errors.FtaugError), (3, errors.Diverged), (66, errors.MissingInput), (99, errors.FtaugError)]
)
def test_a_failure_becomes_the_error_of_its_exit_code(code, kind):
    assert type(Failure(code, "why").error("text")) is kind


def test_a_run_is_finished_when_it_is_complete_or_has_failed(tmp_path):
    spec = RunSpec("a", ())
    assert not StudyRun(spec, tmp_path).is_finished
    assert StudyRun(spec, tmp_path, metrics={}).is_finished
    assert StudyRun(spec, tmp_path, failure=Failure(3, "diverged")).is_finished


def test_paired_runs_share_their_split():
    assert paired(7, 0) == ("seed=7", "data.split_seed=0")
