"""Runs of a study are those of its experiment file."""

import pytest

from ftaug.errors import ExperimentError
from ftaug.experiment_file import open_experiment
from ftaug.runs.study.train_run import require_same_file

CONFIG = "data: {train: digits}\nbackbone: resnet20\n"


def test_an_edited_file_is_an_error(write):
    path = write(CONFIG)
    file = open_experiment(path)
    require_same_file(file)
    write(CONFIG + "seed: 1\n")
    with pytest.raises(ExperimentError, match="has changed since the study started"):
        require_same_file(file)
    path.unlink()  # what was read is enough
    require_same_file(file)
