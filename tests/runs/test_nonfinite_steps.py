"""Training with steps that are not finite: stop, skip or roll back, with the same bits after any kill."""

import json
import signal

import pytest
from fragile import train_fragile
from processes import in_child
from safetensors.numpy import load_file

from ftaug.errors import Diverged
from ftaug.runs import replay_file

ROLLBACK = "train.on_nonfinite={rollback: 9}"


def events(folder):
    rows = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    return {row["step"]: row["nonfinite"] for row in rows if "nonfinite" in row}


def tensors(folder):
    path = max((folder / "run" / "checkpoints").iterdir())
    return {
        f"{file.stem}.{name}": tensor.tobytes()
        for file in sorted(path.glob("*.safetensors"))
        for name, tensor in load_file(file).items()
    }


def figures(folder):
    rows = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key != "time"} for row in rows]


@pytest.fixture(scope="module")
def skipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("skipped")
    return folder, train_fragile(folder, "train.on_nonfinite={skip: 9}")


@pytest.fixture(scope="module")
def rolled_back(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rolled_back")
    return folder, train_fragile(folder, ROLLBACK)


def test_skipped_steps_are_counted_and_logged(skipped):
    folder, session = skipped
    assert session.progress.nonfinite == list(events(folder))
    assert len(session.progress.nonfinite) >= 2
    assert set(map(str, events(folder).values())) == {"{'loss': 'nan', 'action': 'skip'}"}
    losses = [row for row in figures(folder) if "loss" in row]
    assert all(row["loss"] is not None for row in losses)
    assert not {row["step"] for row in losses} & events(folder).keys()  # a row a step in so short a run


def test_rolling_back_returns_to_the_last_evaluation(rolled_back, skipped):
    folder, session = rolled_back
    assert session.progress.nonfinite == skipped[1].progress.nonfinite  # by the samples of the step
    for step, event in events(folder).items():
        assert event == {"loss": "nan", "action": "rollback", "rollback_step": str((step - 1) // 4 * 4)}
    assert tensors(folder) != tensors(skipped[0])


def test_kills_in_between_change_nothing(tmp_path, rolled_back):
    whole, _ = rolled_back
    setting = [ROLLBACK, "train.save_every=1 steps"]
    for step in (5, 8):
        assert in_child(lambda step=step: train_fragile(tmp_path, *setting, kill_at=step)) == -signal.SIGKILL
    train_fragile(tmp_path, *setting)
    assert tensors(tmp_path) == tensors(whole)
    assert figures(tmp_path) == figures(whole)


def test_stop_saves_the_step_before_and_names_the_command(tmp_path, skipped):
    first = skipped[1].progress.nonfinite[0]
    for _ in range(2):  # the same command ends the same way
        with pytest.raises(Diverged, match=rf"the loss of step {first} .*: ftaug replay .*/run$"):
            train_fragile(tmp_path)
    assert max((tmp_path / "run" / "checkpoints").iterdir()).name == f"step-{first - 1:07d}"
    assert [path.name for path in (tmp_path / "run" / "nonfinite").iterdir()] == [f"step-{first:07d}.json"]


def test_a_spent_budget_ends_training(tmp_path, skipped):
    steps = skipped[1].progress.nonfinite
    with pytest.raises(Diverged, match=rf"the loss of step {steps[1]} .* allows 1; the samples of that step"):
        train_fragile(tmp_path, "train.on_nonfinite={skip: 1}")


def test_the_record_of_a_step_names_its_samples(skipped):
    folder, session = skipped
    path = replay_file.newest(folder / "run")
    content = replay_file.read(path)
    assert (content.step, content.action, content.loss) == (session.progress.nonfinite[-1], "skip", "nan")
    train = session.state.splits["train"]
    (request,) = session.state.epochs.requests(content.step - 1, content.step)
    assert content.micro_batches[0].ids == train.ids[request.ids].tolist()
    assert content.samples == len(request.ids)
    assert int(train.targets[request.ids].sum()) % 5 == 0
