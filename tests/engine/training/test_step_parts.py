"""Parts of a step: their sum has the same bits for any number of processes, and is the step of the whole."""

import hashlib

import numpy as np
import pytest
import torch
from processes import in_ranks
from small_training import EXPERIMENT, SOUNDS, TEXTS, state_of, write_sounds
from torch import nn

from ftaug.engine.system.ranks import ALONE
from ftaug.engine.training.fit import Progress, fit
from ftaug.engine.training.step_parts import Part, PartStatistics, tree_sum, with_parts
from ftaug.errors import ExperimentError

CASES = {
    "BatchNorm, clipping": (EXPERIMENT, ["train.clip_norm=0.1"]),
    "mix": (EXPERIMENT, ["mix=cutmix", "data.batch_size=20"]),
    "LoRA": (EXPERIMENT, ["method=lora", "unfreeze=[head]"]),
    "later stage": (EXPERIMENT, ["unfreeze=[{layers: [head]}, {layers: [all], from: 50%}]"]),
    "dropout": (TEXTS, []),
    "views": (TEXTS, ["objective=r_drop"]),
    "sounds": (SOUNDS, []),
}


def trained(folder, text, overrides, ranks=ALONE):
    """Train; return a digest of the weights, and the losses."""
    place = folder / f"run-{ranks.size}-{ranks.rank}"
    place.mkdir(exist_ok=True)
    state = with_parts(state_of(place, text, *overrides), ranks)
    losses = [step.loss.item() for step in fit(state, Progress())]
    digest = hashlib.sha256()
    for name, tensor in state.model.network.state_dict().items():
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest(), losses


@pytest.mark.parametrize("case", [pytest.param(case, marks=[pytest.mark.slow] * (case == "sounds")) for case in CASES])
def test_two_processes_have_the_bits_of_one(tmp_path, case) -> None:
    text, overrides = CASES[case]
    if text == SOUNDS:
        write_sounds(tmp_path)
    overrides = [*overrides, "data.parts=4"]
    alone = trained(tmp_path, text, overrides)
    both = in_ranks(tmp_path, 2, lambda ranks: trained(tmp_path, text, overrides, ranks))
    assert both == [alone, alone]


def test_parts_are_the_step_of_the_whole(tmp_path) -> None:
    """With fixed BatchNorm statistics, parts differ from the whole by rounding alone."""
    overrides = ["unfreeze=[{layers: ['*.conv*', head]}]"]
    losses = [trained(tmp_path, EXPERIMENT, [*overrides, f"data.parts={parts}"])[1] for parts in (1, 2, 4)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    np.testing.assert_allclose(losses[2], losses[0], rtol=1e-4)


def test_auto_is_a_part_for_each_process(tmp_path) -> None:
    alone = trained(tmp_path, TEXTS, ["data.parts=2", "train.epochs=2"])
    first, second, third = in_ranks(tmp_path, 3, lambda ranks: trained(tmp_path, TEXTS, ["train.epochs=2"], ranks))
    assert first == second == third
    np.testing.assert_allclose(first[1], alone[1], rtol=0.2)  # the same samples; dropout differs


@pytest.mark.parametrize(
    "overrides", [["unfreeze=[{layers: ['*.conv*', head]}]"], ["train.sync_batchnorm=true"]], ids=str
)
def test_auto_differs_from_one_process_by_rounding(tmp_path, overrides) -> None:
    """With BatchNorm that is frozen, or synchronized."""

    def action(ranks):
        (place := tmp_path / f"run-{ranks.size}-{ranks.rank}").mkdir()
        state = with_parts(state_of(place, EXPERIMENT, "optimizer=sgd", *overrides), ranks)
        losses = [step.loss.item() for step in fit(state, Progress())]
        return losses, {name: tensor.contiguous() for name, tensor in state.model.network.state_dict().items()}

    losses, weights = action(ALONE)
    for size in (2, 4) if "train.sync_batchnorm=true" in overrides else (2,):
        for result in in_ranks(tmp_path, size, action):
            np.testing.assert_allclose(result[0], losses, rtol=1e-4)
            torch.testing.assert_close(result[1], weights, rtol=1e-3, atol=1e-5)


def part(*values):
    gradients = [None if value is None else torch.tensor([value]) for value in values]
    return Part(gradients, torch.ones(3, dtype=torch.float64))


def test_parts_are_added_pairwise() -> None:
    large, small = 1e8, 1.0
    total = tree_sum(part(value, None) for value in (large, small, -large, small))
    assert total.gradients[0].item() == (np.float32(large) + np.float32(small)) + (
        np.float32(-large) + np.float32(small)
    )
    assert total.gradients[1] is None
    assert total.totals.tolist() == [4, 4, 4]


def test_a_part_without_a_gradient_adds_nothing() -> None:
    total = tree_sum([part(None, 1.0), part(2.0, None), part(3.0, 4.0)])
    assert [gradient.item() for gradient in total.gradients] == [5, 5]


def test_statistics_of_parts_are_those_of_batches_in_a_row() -> None:
    torch.manual_seed(0)
    batches = [torch.randn(5, 3) * number for number in range(1, 5)]
    expected, norm = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    for layer in (expected, norm):
        layer(torch.randn(4, 3, generator=torch.Generator().manual_seed(1)))
    for batch in batches:
        expected(batch)

    def forward():
        for first in (0, 2):
            norm(batches[first])
            norm(batches[first + 1])
            yield part(1.0)

    statistics = PartStatistics([norm])
    assert len(list(statistics.collect(forward()))) == 2
    statistics.apply(ALONE)
    torch.testing.assert_close(norm.state_dict(), expected.state_dict())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["data.parts=8"],
            "data.parts: 8: a step of 13 samples leaves 1 for some parts, and BatchNorm that learns needs 2",
        ),
        (
            ["data.parts=16", "unfreeze=[head]"],
            "data.parts: 16: a step of 13 samples leaves 0 for some parts; use a larger",
        ),
        (
            ["train.sync_batchnorm=true", "unfreeze=[head]"],
            "train.sync_batchnorm: has no effect, as no BatchNorm layer is trained; leave it out",
        ),
    ],
)
def test_parts_that_cannot_be_computed_are_errors(tmp_path, overrides, message) -> None:
    with pytest.raises(ExperimentError) as error:
        with_parts(state_of(tmp_path, EXPERIMENT, *overrides), ALONE)
    assert str(error.value).startswith(message)


def test_processes_divide_the_parts(tmp_path) -> None:
    def action(ranks):
        (place := tmp_path / f"rank-{ranks.rank}").mkdir()
        return with_parts(state_of(place, EXPERIMENT, "data.parts=4"), ranks)

    for error in in_ranks(tmp_path, 3, action):
        assert str(error) == "--processes 3: must divide data.parts, 4; use 1, 2 or 4"
