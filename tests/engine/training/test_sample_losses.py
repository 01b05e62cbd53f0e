"""Losses of single samples, with the weights and the augmentation of a step."""

import math

import torch
from fragile import fragile_state
from small_training import EXPERIMENT, TEXTS, state_of
from torch.nn.functional import cross_entropy

from ftaug.engine.loading.batches import Batch
from ftaug.engine.training.sample_losses import sample_losses


def test_they_are_those_of_a_forward_pass_in_evaluation_mode(tmp_path):
    state = state_of(tmp_path, EXPERIMENT, "augment=[rotate]", "train.epochs=2")
    step = state.epochs.steps  # of the second epoch
    (request,) = state.epochs.requests(step, step + 1)
    batch = state.prepared("train")[request]
    assert isinstance(batch, Batch)
    state.model.eval()
    with torch.no_grad():
        expected = cross_entropy(state.model(batch.inputs), batch.targets, reduction="none")
    samples = sample_losses(state, step)
    assert [sample.position for sample in samples] == request.ids.tolist()
    assert {sample.epoch for sample in samples} == {1}
    torch.testing.assert_close(torch.tensor([sample.loss for sample in samples]), expected, rtol=1e-5, atol=1e-6)


def test_a_sample_that_is_not_finite_is_no_other(tmp_path):
    state = fragile_state(tmp_path, divisor=7)  # of a single sample: where its class is 0 or 7
    targets = state.splits["train"].targets
    for step in range(state.epochs.steps):
        for sample in sample_losses(state, step):
            assert math.isfinite(sample.loss) == (int(targets[sample.position]) % 7 != 0)


def test_an_objective_without_labels_has_no_loss_of_a_sample(tmp_path):
    state = state_of(tmp_path, TEXTS, "objective=masked_tokens")
    assert {sample.loss for sample in sample_losses(state, 0)} == {None}
