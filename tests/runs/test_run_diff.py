"""Where two runs part: metrics, settings, data, samples and tensors."""

import json
import shutil

import pytest
import torch
from described_runs import ROWS, described_run
from run_files import MODEL
from small_training import EXPERIMENT, state_of

from ftaug.engine.system.checkpoint_diff import compare_checkpoints
from ftaug.errors import ExperimentError, MissingInput
from ftaug.runs import run_diff
from ftaug.runs.run_diff import RowDifference, compare_runs

TEXT = EXPERIMENT.replace("train: {epochs: 1", "augment: [rotate]\ntrain: {epochs: 1")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return described_run(tmp_path_factory.mktemp("base"), TEXT)[0]


@pytest.fixture
def other(base, tmp_path):
    return shutil.copytree(base, tmp_path / "other", symlinks=True)


def rewrite(run, rows):
    (run / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def test_a_copy_has_the_same_bits_whatever_the_time_it_took(base, other):
    rewrite(other, [{**row, "time": {"seconds": 9}} for row in ROWS])
    diff = compare_runs(base, other)
    assert diff.is_same
    assert (diff.settings, diff.machine, diff.data, diff.row, diff.checkpoint) == ({}, {}, {}, None, 2)
    assert [file.file for file in diff.files] == ["model", "optimizer"]


def test_the_first_field_that_differs(base, other):
    rewrite(other, [*ROWS[:2], {**ROWS[2], "val": {"loss": 2.25, "accuracy": 0.75}}])
    diff = compare_runs(base, other)
    assert diff.row == RowDifference(2, 2, "val.accuracy", ("0.5", "0.75"))
    assert not diff.is_same
    assert diff.samples_note == "the samples of step 2 are the same"


def test_a_run_that_ended_earlier(base, other):
    rewrite(other, ROWS[:1])
    assert compare_runs(base, other).row == RowDifference(2, 1, "step", (2, None))
    assert compare_runs(other, base).row == RowDifference(2, 1, "step", (None, 2))
    assert not compare_runs(base, other).is_same


CHANGED = [{**ROWS[0], "loss": 3.0}, *ROWS[1:]]


@pytest.mark.parametrize(
    ("override", "what", "setting"),
    [
        ("augment.0.rotate.degrees=3", "values", "augment.0.rotate.degrees"),
        ("seed=1", "order", "seed"),
    ],
)
def test_samples_that_differ(base, tmp_path, override, what, setting):
    run, state = described_run(tmp_path, TEXT, override, rows=CHANGED)
    diff = compare_runs(base, run)
    assert setting in diff.settings
    assert (diff.row.step, diff.row.field, diff.row.values) == (1, "loss", ("2.5", "3.0"))
    assert (diff.samples.step, diff.samples.what) == (1, what)
    known = {name for each in (state, state_of(tmp_path, TEXT)) for name in each.splits["train"].names()}
    assert set(diff.samples.names) <= known


def test_tensors_that_differ(base, tmp_path):
    def change(state):
        with torch.no_grad():
            state.model.network.get_parameter("fc.bias")[0] += 0.5

    run, _ = described_run(tmp_path, TEXT, change=change)
    diff = compare_runs(base, run)
    assert diff.row is None
    assert not diff.is_same
    model = next(file for file in diff.files if file.file == "model")
    assert [each.name for each in model.differing] == ["fc.bias"]
    assert model.differing[0].largest == pytest.approx(0.5)


def test_data_that_are_gone_are_a_note(base, other):
    rewrite(other, CHANGED)
    (other / "samples.csv").unlink()
    (other / "model.json").write_text(json.dumps(MODEL))
    diff = compare_runs(base, other)
    assert diff.samples is None
    assert diff.samples_note.startswith("the samples cannot be recomputed (")
    assert set(diff.data) == {"train", "val"}


def test_what_is_no_run(base, tmp_path):
    with pytest.raises(MissingInput, match="not a run folder"):
        compare_runs(base, tmp_path)
    (tmp_path / "folds.json").write_text("{}")
    with pytest.raises(ExperimentError, match="holds folds; compare two of them"):
        compare_runs(tmp_path, base)


def test_a_checkpoint_that_a_trainer_deletes_is_not_compared(base, other, monkeypatch):
    """Its tensors would count as missing; the step before is compared."""
    for run in (base, other):
        shutil.copytree(run / "checkpoints" / "step-0000002", run / "checkpoints" / "step-0000001", dirs_exist_ok=True)

    def delete_and_compare(first, second):
        if second.name == "step-0000002":
            shutil.rmtree(second)
        return compare_checkpoints(first, second)

    monkeypatch.setattr(run_diff, "compare_checkpoints", delete_and_compare)
    diff = compare_runs(base, other)
    assert diff.checkpoint == 1
    assert not any(file.differing for file in diff.files)
    shutil.rmtree(base / "checkpoints" / "step-0000001")
