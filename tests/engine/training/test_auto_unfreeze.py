"""`unfreeze: auto`: the choice is the same again, and the gain of a stage is how the loss falls along its gradient."""

import numpy as np
import pytest
import torch
from torch import nn

from ftaug.engine.loading.split import load_splits
from ftaug.engine.training import auto_unfreeze
from ftaug.engine.training.auto_unfreeze import GRADIENT_STEPS, resolve_auto_unfreeze
from ftaug.experiment_file import load


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text(
        "data: {train: {digits: {per_class: 8}}, val: {split: 20%}, batch_size: 8, workers: 0}\n"
        "backbone: {resnet20: {weights: none}}\ntrain: {epochs: 2, precision: fp32}\n"
    )
    return path


def test_the_choice_is_the_same_again_and_has_the_norms_of_the_mean_gradient(config):
    experiment = load(config, ["unfreeze=auto"])
    data = load_splits(experiment.data, experiment.seed)
    made, choice = resolve_auto_unfreeze(experiment, "cpu", data)
    again, same = resolve_auto_unfreeze(experiment, "cpu", data)
    assert choice == same and made == again and made.unfreeze == choice.unfreeze
    for stage, gain in choice.gain.items():
        assert gain > 0 and choice.relative[stage] > 0
    plain, nothing = resolve_auto_unfreeze(load(config), "cpu", data)
    assert plain.unfreeze == ("all",) and nothing is None
    stopped, nothing = resolve_auto_unfreeze(experiment, "cpu", data, carry_on=lambda: False)
    assert stopped.unfreeze == "auto" and nothing is None


def test_the_gain_is_how_the_loss_falls(config, monkeypatch):
    """Moving a stage by a small share of its norm along the gradient lowers the loss by that share of the gain."""
    experiment = load(config, ["unfreeze=auto"])
    falls = {}

    def looked_at(state):
        first = state.training_length.total_steps - GRADIENT_STEPS
        own = [p for name, p in state.model.network.named_parameters() if state.backbone.stages[3].holds(name)]
        gradients = [p.grad.clone() for p in own]
        size, steepness = (float(nn.utils.get_total_norm(tensors)) for tensors in (own, gradients))

        def loss():
            feed = auto_unfreeze.batch_feed(state, first)
            steps = range(first, first + GRADIENT_STEPS)
            return np.mean([auto_unfreeze.accumulate_gradients(state, step, feed)[0].item() for step in steps])

        before = loss()
        with torch.no_grad():
            for parameter, gradient in zip(own, gradients, strict=True):
                parameter -= 1e-5 * size * gradient / steepness
        falls[state.backbone.stages[3].name] = (before - loss()) / 1e-5
        with torch.no_grad():
            for parameter, gradient in zip(own, gradients, strict=True):
                parameter += 1e-5 * size * gradient / steepness
                parameter.grad = gradient
        return real(state)

    real = auto_unfreeze._norms
    monkeypatch.setattr(auto_unfreeze, "_norms", looked_at)
    _, choice = resolve_auto_unfreeze(experiment, "cpu", load_splits(experiment.data, experiment.seed))
    assert falls["layer3"] == pytest.approx(choice.gain["layer3"], rel=0.1)
