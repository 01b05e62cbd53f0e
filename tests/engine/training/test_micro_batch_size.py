"""Micro-batches and a compiled network: less memory or time, and the same training."""

import gc
import weakref

import numpy as np
import pytest
import torch
from small_training import EXPERIMENT, state_of, trained

from ftaug.cli import run
from ftaug.engine.loading.batches import EpochSampler
from ftaug.engine.training import micro_batch_size
from ftaug.engine.training.micro_batch_size import with_micro_batch
from ftaug.errors import OutOfMemory, as_known


@pytest.mark.parametrize("micro", [None, 1, 3, 5, 8])
def test_parts_are_a_partition_of_every_batch(micro):
    whole, parts = (list(EpochSampler(0, 50, 8, 2, micro=one).requests(0, 8)) for one in (None, micro))
    for step in range(8):
        ids, split = ([r.ids for r in side if r.step == step] for side in (whole, parts))
        assert np.array_equal(np.sort(np.concatenate(ids)), np.sort(np.concatenate(split)))
        assert sum(r.share for r in parts if r.step == step) == pytest.approx(1)
        assert max(map(len, split)) <= (micro or 8)


def test_parts_give_the_gradient_of_the_batch(tmp_path):
    """With BatchNorm at rest, which would see the parts one at a time."""
    frozen = "unfreeze=[layer3.*.conv*, head]"
    whole, _ = trained(state_of(tmp_path, EXPERIMENT, frozen, "train.micro_batch=16", "optimizer=sgd"))
    parts = with_micro_batch(state_of(tmp_path, EXPERIMENT, frozen, "train.micro_batch=3", "optimizer=sgd"))
    assert parts.micro_batch.samples == 3
    np.testing.assert_allclose(trained(parts)[0], whole, rtol=1e-4)


def test_the_whole_batch_goes_where_memory_holds_it(tmp_path):
    made = with_micro_batch(state_of(tmp_path, EXPERIMENT))
    assert (made.micro_batch.samples, made.micro_batch.reason) == (16, "")


def test_less_memory_smaller_parts_which_last(tmp_path, monkeypatch):
    state = state_of(tmp_path, EXPERIMENT)
    each = (
        micro_batch_size.PEAK_FACTOR
        * (micro_batch_size._saved_for_backward(state, 4) - micro_batch_size._saved_for_backward(state, 2))
        / 2
    )
    monkeypatch.setattr(micro_batch_size, "available", lambda device: round(5.5 * each / micro_batch_size.MEMORY_SHARE))
    made = with_micro_batch(state)
    assert made.micro_batch.samples == 5 and made.micro_batch.reason.endswith("BatchNorm sees 5 at a time")
    monkeypatch.setattr(micro_batch_size, "available", lambda device: round(0.5 * each / micro_batch_size.MEMORY_SHARE))
    assert with_micro_batch(state, resumed=5).micro_batch.samples == 5
    with pytest.raises(OutOfMemory, match="freeze more layers, or take a smaller network"):
        with_micro_batch(state)


def test_a_mix_leaves_room_for_the_inputs_of_the_whole_step(tmp_path, monkeypatch):
    """Three times 16 pictures of 3 × 32 × 32 numbers of 4 bytes."""
    state = state_of(tmp_path, EXPERIMENT, "mix=mixup")
    each = (
        micro_batch_size.PEAK_FACTOR
        * (micro_batch_size._saved_for_backward(state, 4) - micro_batch_size._saved_for_backward(state, 2))
        / 2
    )
    inputs = 3 * 16 * 3 * 32 * 32 * 4
    for samples in (5, 9):
        monkeypatch.setattr(
            micro_batch_size,
            "available",
            lambda device, n=samples: ((n + 0.5) * each + inputs) / micro_batch_size.MEMORY_SHARE,
        )
        assert with_micro_batch(state).micro_batch.samples == samples


def test_the_estimate_moves_nothing(tmp_path):
    state = state_of(tmp_path, EXPERIMENT)
    before = {name: tensor.clone() for name, tensor in state.model.state_dict().items()}
    assert micro_batch_size._saved_for_backward(state, 4) > 1e5
    assert all(torch.equal(tensor, before[name]) for name, tensor in state.model.state_dict().items())
    assert all(parameter.grad is None for parameter in state.model.parameters())


def test_the_estimate_keeps_no_activations(tmp_path):
    """An operation that saves its own output is a cycle which Python's garbage collection does not see."""
    state = state_of(tmp_path, EXPERIMENT)
    activations = []
    first = next(module for module in state.model.modules() if isinstance(module, torch.nn.ReLU | torch.nn.BatchNorm2d))
    with first.register_forward_hook(lambda module, given, output: activations.append(weakref.ref(output))):
        micro_batch_size._saved_for_backward(state, 4)
    gc.collect()
    assert activations and all(activation() is None for activation in activations)


def test_a_run_keeps_its_parts(tmp_path, monkeypatch, capsys):
    (tmp_path / "a.yaml").write_text(EXPERIMENT)
    real = micro_batch_size._largest_fitting
    monkeypatch.setattr(
        micro_batch_size, "_largest_fitting", lambda state, batch: micro_batch_size.MicroBatchSize(5, "little memory")
    )
    line = ["train", str(tmp_path / "a.yaml"), "--run-dir", str(tmp_path / "run"), "train.save_every=1 steps"]
    assert run(line) == 0
    assert "16, 5 at a time (auto: little memory), " in capsys.readouterr().err
    (tmp_path / "run" / "complete.json").unlink()
    monkeypatch.setattr(micro_batch_size, "_largest_fitting", real)
    assert run(line) == 0
    assert "16, 5 at a time (auto: as when the run began), " in capsys.readouterr().err


@pytest.mark.slow
def test_a_compiled_network_trains_the_same(tmp_path):
    stages = "unfreeze=[{layers: [head]}, {from: 1 steps, layers: [layer3]}]"
    whole, weights = trained(state_of(tmp_path, EXPERIMENT, stages))
    found, same = trained(state_of(tmp_path, EXPERIMENT, stages, "train.compile=true"))
    np.testing.assert_allclose(found, whole, rtol=1e-3)
    assert weights.keys() == same.keys()


def test_a_compiler_that_fails_is_said():
    error = torch._dynamo.exc.TorchDynamoException("no C++ compiler\nand more")
    known = as_known(error)
    expected = "train.compile: PyTorch could not compile the network (no C++ compiler); leave it out"
    assert (known.exit_code, str(known)) == (69, expected)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["train.micro_batch=17"], "train.micro_batch must be at most data.batch_size, 16; got 17"),
        (["train.compile=true", "train.gradient_checkpointing=true"], "cannot be combined; leave one out"),
        (
            ["train.compile=true", "train.cache_features=auto", "unfreeze=[head]"],
            "train.compile applies to the whole network, but train.cache_features runs only a part of it",
        ),
    ],
)
def test_what_cannot_be_is_said(tmp_path, capsys, overrides, message):
    (tmp_path / "a.yaml").write_text(EXPERIMENT)
    assert run(["validate", str(tmp_path / "a.yaml"), *overrides]) == 2
    assert message in capsys.readouterr().err
