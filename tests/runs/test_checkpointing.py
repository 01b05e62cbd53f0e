"""A checkpoint restores weights, optimizer, progress and metrics, and only into its own run."""

import numpy as np
import pytest
import torch

from ftaug.engine.loading.split import load_splits
from ftaug.engine.system import checkpoint
from ftaug.engine.system.run_folder import RunFolder
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import Progress, fit
from ftaug.errors import BadData, DataChanged, ExperimentError
from ftaug.experiment_file import load
from ftaug.runs.checkpointing import checkpoint_size, load_checkpoint, save_checkpoint

EXPERIMENT = """
data: {train: {digits: {per_class: 3}}, val: {split: 33%}, batch_size: 10, workers: 0}
backbone: {resnet20: {weights: none}}
train: {epochs: 2, precision: fp32, ema: 0.9}
"""


def state_of(folder, *overrides):
    (folder / "f.yaml").write_text(EXPERIMENT)
    experiment = load(folder / "f.yaml", overrides)
    return build(experiment, "cpu", load_splits(experiment.data, experiment.seed), pretrained=False)


def open_folder(path, digest="d" * 64):
    return RunFolder.open(path, experiment_yaml="", resolved_yaml="{}", digest=digest)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A run stopped after two of four steps: its folder, state and the path of its checkpoint."""
    folder = tmp_path_factory.mktemp("saved")
    state, progress = state_of(folder), Progress()
    for step in fit(state, progress):
        if step.number == 2:
            break
    progress.best_step, progress.scores = 2, [0.5, float("nan")]
    with open_folder(folder / "run") as run:
        run.append_metrics({"step": 2, "epoch": 1.0})
        save_checkpoint(state, progress, run)
        run.append_metrics({"step": 3, "epoch": 1.5})
    return folder, state, run.path / "checkpoints" / "step-0000002"


def tensors(state):
    values = {
        **state.model.network.state_dict(),
        **{f"ema.{key}": value for key, value in state.average.tensors.items()},
    }
    for index, moments in state.optimizer.state_dict()["state"].items():
        values |= {f"optimizer.{index}.{key}": torch.as_tensor(value) for key, value in moments.items()}
    return values


def test_what_is_restored_is_what_was_saved(saved):
    folder, state, path = saved
    restored = state_of(folder, "seed=1")
    assert not torch.equal(
        restored.model.network.state_dict()["fc.weight"], state.model.network.state_dict()["fc.weight"]
    )
    restored = state_of(folder)
    with open_folder(folder / "run") as run:
        progress, note = load_checkpoint(restored, run, path)
        assert [row["step"] for row in run.read_metrics()] == [2], "later rows are written again"
    assert (progress.step, progress.best_step, note) == (2, 2, "continued at step 2")
    assert progress.scores[0] == 0.5 and np.isnan(progress.scores[1])
    expected, actual = tensors(state), tensors(restored)
    assert actual.keys() == expected.keys()
    assert all(torch.equal(actual[name], expected[name]) for name in expected)
    assert (folder / "run" / "best").resolve() == path


def test_another_run_or_other_data_are_refused(saved, tmp_path):
    folder, state, path = saved
    other = open_folder(tmp_path / "other", digest="e" * 64)
    with other, pytest.raises(ExperimentError, match="belongs to another experiment"):
        load_checkpoint(state, other, path)
    with open_folder(folder / "run") as run, pytest.raises(DataChanged, match="the data changed"):
        load_checkpoint(state_of(folder, "data.train.digits.per_class=4"), run, path)


def test_other_conditions_are_named(saved, monkeypatch):
    folder, _, path = saved
    monkeypatch.setattr(torch, "get_num_threads", lambda: 99)
    with open_folder(folder / "run") as run:
        _, note = load_checkpoint(state_of(folder), run, path)
    assert note.startswith("continued at step 2; not bit for bit the same run: threads ")
    assert note.endswith(" → 99")


def test_a_checkpoint_without_the_optimizer_is_bad_data(saved, tmp_path):
    folder, _, path = saved
    stored, metadata = checkpoint.load(path)
    broken = checkpoint.save(tmp_path, 2, {"model": stored["model"]}, metadata)
    with open_folder(folder / "run") as run, pytest.raises(BadData, match="was not written by this version of ftaug"):
        load_checkpoint(state_of(folder), run, broken)


def test_the_size_is_estimated_before_the_first_checkpoint(saved):
    _, state, path = saved
    written = sum(file.stat().st_size for file in path.iterdir())
    assert checkpoint_size(state) == pytest.approx(written, rel=0.05)
