import json
import shutil

import numpy as np
import pytest

from ftaug.errors import BadData, ExperimentError, MissingInput
from ftaug.runs import trained_model
from ftaug.runs.open_run import open_run
from ftaug.runs.run_report.open_reported import open_reported


@pytest.fixture(scope="module")
def evaluated(trained, tmp_path_factory):
    """The run with its test samples evaluated by the report."""
    folder = shutil.copytree(trained, tmp_path_factory.mktemp("evaluated") / "run", symlinks=True)
    open_reported(folder, None, trust_plugins=False)
    return folder


def test_records_are_those_of_the_model_in_the_order_of_the_split(evaluated):
    run = open_reported(evaluated, None, trust_plugins=False)
    assert (run.split, len(run.records), len(run.names)) == ("test", 13, 13)
    opened = open_run(evaluated)
    data = opened.select_split("test")
    np.testing.assert_allclose(run.records.predictions, opened.probabilities(opened.logits(data)), atol=1e-6)
    assert run.records.targets.tolist() == data.targets.tolist() == run.data.targets.tolist()
    assert run.names == [*data.names()]
    assert run.experiment.name == "few" and run.rows[-1]["val"]["accuracy"] > 0


def test_what_was_evaluated_is_not_evaluated_again(evaluated, monkeypatch):
    monkeypatch.setattr(trained_model, "open_single_run", None)
    monkeypatch.setattr("ftaug.runs.run_report.open_reported.open_calibrated_run", None)
    assert open_reported(evaluated, "test", trust_plugins=False).results["samples"] == 13


def test_records_of_another_checkpoint_are_written_anew(evaluated):
    path = evaluated / "report" / "evaluate-test.json"
    content = path.read_text()
    path.write_text(content.replace("step-", "older-"))
    open_reported(evaluated, None, trust_plugins=False)
    assert json.loads(path.read_text())["checkpoint"].startswith("step-")


def test_samples_that_changed_since_are_not_taken_for_those_of_the_records(evaluated):
    records = evaluated / "report" / "test.samples.csv"
    before = records.read_text()
    header, first, *rest = before.splitlines(keepends=True)
    records.write_text("".join([header, "f" * 16 + first[16:], *rest]))
    run = open_reported(evaluated, None, trust_plugins=False)
    with pytest.raises(BadData, match=r"have changed since they were evaluated.*--split test"):
        _ = run.data
    records.write_text(before)


def test_bad_input_is_one_line(copied, tmp_path):
    with pytest.raises(MissingInput, match="not a run folder"):
        open_reported(tmp_path, None, trust_plugins=False)
    (copied / "complete.json").unlink()
    with pytest.raises(MissingInput, match=f"its training is not complete; continue it: ftaug train {copied}"):
        open_reported(copied, None, trust_plugins=False)


def test_a_split_that_the_run_lacks(copied):
    model = json.loads((copied / "model.json").read_text())
    del model["data"]["test"]
    (copied / "model.json").write_text(json.dumps(model))
    with pytest.raises(ExperimentError, match=r"--split test: .* has no such samples, only val, train"):
        open_reported(copied, "test", trust_plugins=False)


def test_folds_that_are_not_complete(copied, tmp_path):
    folds = tmp_path / "folds"
    folds.mkdir()
    copied.rename(folds / "fold-1")
    (folds / "folds.json").write_text(json.dumps({"digest": "a", "folds": 2, "complete": False}))
    with pytest.raises(MissingInput, match="not all of its folds are trained"):
        open_reported(folds, None, trust_plugins=False)
