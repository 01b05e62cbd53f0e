"""Sharded training computes the same as unsharded, in less memory, and its checkpoints are those of any run."""

import os
from dataclasses import replace

import pytest
import torch
from processes import in_ranks
from small_training import EXPERIMENT, TEXTS, state_of
from torch.distributed.tensor import DTensor

from ftaug.engine.system.ranks import ALONE, lost_ranks_in_collectives
from ftaug.engine.training.batchnorm import evaluation_model
from ftaug.engine.training.fit import Progress, fit
from ftaug.engine.training.micro_batch_size import with_micro_batch
from ftaug.engine.training.optimizer_state import load_optimizer, optimizer_tensors
from ftaug.engine.training.sharding import gathered, with_shards
from ftaug.engine.training.step_parts import with_parts
from ftaug.errors import ExperimentError, RankLost

SGD = "optimizer={sgd: {momentum: 0.9}}"
STAGES = "unfreeze=[{layers: [head]}, {layers: [all], from: 50%}]"
CASES = {
    "staged unfreezing, clipping, EMA": (EXPERIMENT, [SGD, STAGES, "train.clip_norm=0.5", "train.ema=0.5"]),
    "LoRA, micro-batches": (EXPERIMENT, [SGD, "method=lora", "unfreeze=[head]", "train.micro_batch=3"]),
    "mix, BatchNorm of all processes": (EXPERIMENT, [SGD, "mix=cutmix", "train.sync_batchnorm=true"]),
    "views, gradient checkpointing": (TEXTS, ["objective=r_drop", "train.gradient_checkpointing=true"]),
}
OPTIMIZERS = ["adam", "nadam", "radam", "rmsprop", "adagrad"]


@pytest.fixture(scope="module", autouse=True)
def _imported(tmp_path_factory) -> None:
    """Import what the processes need, which are forked, only once."""
    state_of(tmp_path_factory.mktemp("imported"), EXPERIMENT)


def state_in(folder, ranks, text, overrides, sharded):
    place = folder / f"run-{ranks.rank}-{sharded}"
    place.mkdir(exist_ok=True)
    overrides = [*overrides, "train.epochs=2", f"train.shard={str(sharded).lower()}"]
    return with_shards(with_micro_batch(with_parts(state_of(place, text, *overrides), ranks)))


def trained(state):
    """Train; return the figures of the steps, and the weights to evaluate."""
    steps = [
        (
            step.loss.item(),
            float(step.gradient_norm or 0),
            {name: float(norm) for name, norm in step.stage_norms.items()},
        )
        for step in fit(state, Progress())
    ]
    return steps, evaluation_model(state, len(steps)).network.state_dict()


@pytest.mark.parametrize(
    "case", [pytest.param(name, marks=() if number == 0 else pytest.mark.slow) for number, name in enumerate(CASES)]
)
def test_shards_are_the_whole_network(tmp_path, case) -> None:
    def action(ranks):
        whole, sharded = (state_in(tmp_path, ranks, *CASES[case], sharded) for sharded in (False, True))
        assert not whole.is_sharded and sharded.is_sharded
        return trained(whole), trained(sharded)

    for expected, (steps, weights) in in_ranks(tmp_path, 2, action):
        for step, right in zip(steps, expected[0], strict=True):
            torch.testing.assert_close(step, right, rtol=2e-3, atol=1e-4)
        assert weights.keys() == expected[1].keys()
        for name, tensor in weights.items():
            torch.testing.assert_close(tensor, expected[1][name], rtol=1e-3, atol=2e-4)


@pytest.mark.slow
def test_optimizers_update_shards(tmp_path) -> None:
    def action(ranks):
        results = {}
        for optimizer in OPTIMIZERS:
            overrides = [f"optimizer={optimizer}", "lr.peak=1e-4", "unfreeze=[head]"]
            states = (state_in(tmp_path, ranks, EXPERIMENT, overrides, sharded) for sharded in (False, True))
            results[optimizer] = [trained(state)[1]["fc.weight"] for state in states]
        return results

    for results in in_ranks(tmp_path, 2, action):
        for whole, sharded in results.values():
            torch.testing.assert_close(sharded, whole, rtol=1e-4, atol=1e-5)


def test_a_checkpoint_continues_with_and_without_shards(tmp_path) -> None:
    """The optimizer's state, gathered, is that of an unsharded optimizer, and is sharded again when loaded."""

    def action(ranks):
        state = state_in(tmp_path, ranks, EXPERIMENT, ["train.ema=0.9"], True)
        list(fit(state, Progress()))
        tensors = [*state.model.network.parameters(), *state.average.tensors.values()]
        tensors += optimizer_tensors(state.optimizer).values()
        local = sum(tensor.to_local().nbytes if isinstance(tensor, DTensor) else tensor.nbytes for tensor in tensors)
        assert 0.45 < local / sum(tensor.nbytes for tensor in tensors) < 0.55
        saved = {name: gathered(tensor).clone() for name, tensor in optimizer_tensors(state.optimizer).items()}
        whole = state_in(tmp_path, ranks, EXPERIMENT, ["train.ema=0.9"], False)
        load_optimizer(whole.optimizer, saved)
        again = optimizer_tensors(whole.optimizer)
        load_optimizer(state.optimizer, again)
        loaded = optimizer_tensors(state.optimizer)
        sharded = [name for name, tensor in loaded.items() if isinstance(tensor, DTensor)]
        return saved, again, {name: gathered(tensor) for name, tensor in loaded.items()}, sharded

    for saved, again, loaded, sharded in in_ranks(tmp_path, 2, action):
        torch.testing.assert_close(again, saved, rtol=0, atol=0)
        torch.testing.assert_close(loaded, saved, rtol=0, atol=0)
        assert {name.rpartition(".")[2] for name in sharded} == {"exp_avg", "exp_avg_sq"}


def test_a_lost_process_is_an_error_of_the_others(tmp_path) -> None:
    def action(ranks):
        with lost_ranks_in_collectives():
            for _ in fit(state_in(tmp_path, ranks, EXPERIMENT, ["unfreeze=[head]"], True), Progress()):
                if ranks.rank == 1:
                    os._exit(0)

    assert isinstance(in_ranks(tmp_path, 2, action)[0], RankLost)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="size mismatch"), lost_ranks_in_collectives():
        raise RuntimeError("size mismatch")


def test_what_shards_do_not_support_is_an_error(tmp_path) -> None:
    with pytest.raises(ExperimentError) as error:
        state_in(tmp_path, ALONE, EXPERIMENT, ["method=l2_sp"], True)
    text = "train.shard: cannot be used with method l2_sp, whose penalty needs whole weights; leave one out"
    assert str(error.value) == text
    state = state_in(tmp_path, ALONE, EXPERIMENT, [], True)
    assert not state.is_sharded  # a single process has all shards
    with pytest.raises(ExperimentError) as error:
        with_shards(replace(state, device=replace(state.device, precision="fp16")))
    assert str(error.value) == "train.shard: cannot be used with train.precision fp16; use bf16 or fp32"


def test_processes_compute_as_many_micro_batches(tmp_path) -> None:
    def action(ranks):
        return with_shards(with_micro_batch(with_parts(state_of(tmp_path, EXPERIMENT, *overrides), ranks)))

    overrides = ["train.sync_batchnorm=true", "train.micro_batch=1"]
    for error in in_ranks(tmp_path, 2, action):
        assert str(error) == "train.sync_batchnorm: needs micro-batches of 2 samples or more in each process; got 1"
