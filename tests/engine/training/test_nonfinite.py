"""A step whose loss or gradient is not finite leaves no trace; which ones, and how often, is an experiment's choice."""

import math

import numpy as np
import pytest
import torch
from fragile import fragile_state
from processes import in_ranks

from ftaug.config.experiment import RollBack, SkipSteps, Train
from ftaug.engine.system.ranks import ALONE
from ftaug.engine.training.fit import Progress, fit
from ftaug.engine.training.nonfinite import BufferSnapshot, Nonfinite, Recovery, find_nonfinite, recovery_of
from ftaug.engine.training.optimizer_state import optimizer_tensors
from ftaug.engine.training.step_parts import with_parts
from ftaug.errors import Diverged
from ftaug.interfaces.model import TrainingLength

NAN = torch.tensor(math.nan)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("stop", ("stop", 0)),
        ("skip", ("skip", 20)),
        ("rollback", ("rollback", 3)),
        (SkipSteps(7), ("skip", 7)),
        (SkipSteps(0.05), ("skip", 100)),
        (SkipSteps(1e-6), ("skip", 1)),
        (RollBack(1), ("rollback", 1)),
    ],
)
def test_what_an_experiment_asks_for(setting, expected):
    assert recovery_of(Train(on_nonfinite=setting), TrainingLength(2000, 100)) == Recovery(*expected)


def test_which_figure_is_not_finite():
    good = torch.tensor(1.5)
    assert find_nonfinite(good, good) is None
    assert find_nonfinite(good, None) is None
    assert find_nonfinite(good, torch.tensor(math.inf)) == Nonfinite("gradient norm", math.inf)
    assert find_nonfinite(-torch.tensor(math.inf), NAN) == Nonfinite("loss", -math.inf)


def test_buffers_are_restored():
    buffers = [torch.tensor([1.0, 2.0]), torch.tensor(3)]
    snapshot = BufferSnapshot(buffers)
    buffers[1] += 1
    snapshot.take()
    for buffer in buffers:
        buffer.zero_()
    snapshot.restore()
    assert [buffer.tolist() for buffer in buffers] == [[1.0, 2.0], 4]
    BufferSnapshot([]).take()


def everything(state):
    tensors = {**state.model.network.state_dict(), **optimizer_tensors(state.optimizer)}
    tensors |= {f"ema.{name}": tensor for name, tensor in state.average.tensors.items()}
    return {name: tensor.clone() for name, tensor in tensors.items()}


CASES = {
    "loss": ([], "loss"),
    "gradient, clipping": (["train.clip_norm=1"], "gradient"),
    "gradient, bf16, accumulation": (["train.precision=bf16", "train.micro_batch=4"], "gradient"),
    "stages": (["unfreeze=[{layers: [head]}, {layers: [all], from: 2 steps}]"], "loss"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_skipped_step_changes_nothing(tmp_path, case):
    overrides, figure = CASES[case]
    overrides = [*overrides, "train.on_nonfinite=skip", "train.epochs=2"]
    state = with_parts(fragile_state(tmp_path, *overrides, figure=figure), ALONE)
    schedule = state.experiment.lr.schedule
    progress, before, skipped = Progress(), everything(state), []
    for step in fit(state, progress):
        after = everything(state)
        if step.nonfinite is not None:
            skipped.append(step)
            assert step.nonfinite.figure == ("loss" if figure == "loss" else "gradient norm")
            assert after.keys() == before.keys()
            assert [name for name in after if not torch.equal(after[name], before[name])] == []
        else:
            assert any(not torch.equal(after[name], before[name]) for name in before)
        assert progress.step == step.number
        assert step.rate == 5e-3 * schedule(step.number - 1, state.training_length)  # the schedule goes on
        before = after
    assert skipped
    assert progress.step == state.training_length.total_steps
    assert all(tensor.isfinite().all() for tensor in before.values())


def test_stop_does_not_count_the_step(tmp_path):
    state, progress = fragile_state(tmp_path), Progress()
    applied = []

    def train():
        for step in fit(state, progress):
            applied.append(step.nonfinite is None)

    with pytest.raises(Diverged, match=r"the loss of step \d+ \(epoch \d\) is nan; try a lower lr\.peak"):
        train()
    assert applied == [True] * progress.step + [False]


def test_processes_skip_together(tmp_path):
    def losses(ranks):
        place = tmp_path / f"{ranks.size}-{ranks.rank}"
        state = with_parts(fragile_state(place, "data.parts=2", "train.on_nonfinite=skip", divisor=4), ranks)
        steps = [(step.loss.item(), step.nonfinite is None) for step in fit(state, Progress())]
        return np.array(steps), state.model.network.state_dict()["fc.weight"].numpy()

    alone, both = losses(ALONE), in_ranks(tmp_path, 2, losses)
    assert not alone[0][:, 1].all()
    for each in both:
        np.testing.assert_array_equal(each[0], alone[0])
        np.testing.assert_array_equal(each[1], alone[1])
