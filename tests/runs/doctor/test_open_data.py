"""The data of a cross-validation are all its training samples, whichever fold held them out."""

import numpy as np
import pytest

from ftaug.engine.loading.split import load_splits
from ftaug.errors import ExperimentError, MissingInput
from ftaug.experiment_file import load
from ftaug.runs.doctor.open_data import open_data


def test_folds_are_united(folds):
    data = open_data(folds, (), trust_plugins=False)
    experiment = load(folds.parent / "digits.yaml", ["data.val=null"])
    whole = load_splits(experiment.data, experiment.seed)
    assert [*data.splits] == ["train"]
    assert data.folds == folds
    assert np.array_equal(data.splits["train"].ids, whole["train"].ids)
    assert np.array_equal(data.splits["train"].targets, whole["train"].targets)
    with pytest.raises(ExperimentError, match="whose settings are fixed"):
        open_data(folds, ["seed=1"], trust_plugins=False)
    with pytest.raises(MissingInput, match="not a run folder"):
        open_data(folds.parent, (), trust_plugins=False)
