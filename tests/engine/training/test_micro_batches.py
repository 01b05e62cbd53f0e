"""A step in micro-batches is the step of the whole: for every component that takes part in one."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import ttest_ind
from small_networks import small_resnet, small_text
from torch import nn
from torchvision.ops import StochasticDepth

from ftaug.cli import run
from ftaug.config.registry import REGISTRIES, registry
from ftaug.engine.loading import seeds
from ftaug.engine.loading.prepare import epoch_sampler_of, token_budget_of, with_unlabeled_turns
from ftaug.engine.loading.split import load_splits
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import accumulate_gradients, batch_feed, loss_of
from ftaug.engine.training.micro_batch_size import with_micro_batch
from ftaug.engine.training.micro_batches import micro_batches
from ftaug.experiment_file import import_components, load
from ftaug.text.network import MASK

__all__ = ["small_resnet", "small_text"]

for modality in ("image", "text", "audio"):
    import_components(modality)

PICTURES = """
data: {train: {digits: {per_class: 1}}, val: null, batch_size: 10, workers: 0}
backbone: {resnet20: {weights: none}}
train: {precision: fp32, epochs: 5}
"""
TEXTS = """
modality: text
data: {train: {text_table: {path: texts.csv, TARGET}}, val: null, batch_size: 12, batch_tokens: null, workers: 0}
backbone: {tiny_text: {weights: none, max_length: 24}}
train: {precision: fp32, epochs: 5}
"""
SOUNDS = """
modality: audio
data: {train: {instruments: {per_class: 1}}, val: null, batch_size: 10, workers: 0}
backbone: {spectrogram: {network: resnet20, weights: none, seconds: 0.25, windows: 1, rate: 8000, mels: 16}}
train: {precision: fp32, epochs: 5}
"""
TEMPLATES = {"image": PICTURES, "text": TEXTS, "audio": SOUNDS}
TARGETS = {
    "single_label": "label: class",
    "multi_label": 'label: some, labels_separator: "|"',
    "regression": "target: [x, y]",
}
MICRO = [["train.micro_batch=3"], ["train.micro_batch=1"]]
PARTS = {
    "image": [*MICRO, ["data.batch_size=5", "train.gradient_accumulation=2"]],
    "audio": MICRO,
    "text": [*MICRO, ["data.batch_size=4", "train.gradient_accumulation=3"], ["data.batch_tokens=60"]],
}
SHAPING = ("mix", "loss", "objective", "method")  # what makes a step's loss and gradient


def cases():
    """Every component that is registered, in every task that it fits; single labels are of pictures where they can."""
    for (kind, registered), entries in REGISTRIES.items():
        for name in entries.own if kind in SHAPING else ():
            if entries[name].facts.get("outputs"):
                continue  # tests/commands/test_pretrain.py; its head is not that of the classes
            for task in entries[name].facts.get("tasks", ("single_label",)):
                fitting = {"image"} if task == "single_label" else {"text"}
                both = kind in ("mix", "objective") and task == "single_label"
                for modality in sorted({"image", "text"} if both else fitting) if registered == "any" else [registered]:
                    if modality == "text" or task == "single_label":
                        yield pytest.param(kind, name, modality, task, id=f"{kind}-{name}-{modality}-{task}")


def overrides(kind, name, modality, task):
    """An experiment with the component, whose effect is large."""
    settings = {"one_of": {"image": "{choices: [{mixup: {alpha: 1}}]}", "text": "{choices: [{mixup: {alpha: 1}}]}"}}
    settings["soft_match"] = dict.fromkeys(("image", "text"), "{ramp: 0, ratio: 2}")
    settings["mixup"] = dict.fromkeys(("image", "text"), "{alpha: 1}")
    written = f"{{{name}: {settings.get(name, {}).get(modality, '{}')}}}"
    others = []
    if kind != "loss":
        losses = {"multi_label": "binary_cross_entropy", "regression": "mse"}
        others.append(f"loss={losses.get(task, 'cross_entropy')}")
    if kind == "objective":
        others.append(f"augment={'[augmix]' if modality == 'image' else '[token_cutoff]'}")
        if registry(kind, modality)[name].facts["unlabeled"]:
            pools = {"image": "{digits: {per_class: 2}}", "text": "{text_lines: {path: pool.txt}}"}
            others.append(f"data.unlabeled={pools[modality]}")
        if name == "masked_tokens":
            others.append("backbone.tiny_text.head=masked_tokens")
    return [f"{kind}={written}", *others]


@pytest.fixture
def state_of(tmp_path, small_resnet, small_text):
    with (tmp_path / "texts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "class", "some", "x", "y"])
        for i in range(12):
            some = "|".join(name for bit, name in enumerate("abc") if (i + 1) >> bit & 1)
            rows.writerow([" ".join(["word", "other", "longer"][: 1 + i % 3] * (1 + i)), "abc"[i % 3], some, i, -i % 5])

    (tmp_path / "pool.txt").write_text("".join(f"{'some ' * i}text\n" for i in range(1, 8)))

    def make(modality, task="single_label", *settings):
        path = tmp_path / "experiment.yaml"
        path.write_text(TEMPLATES[modality].replace("TARGET", TARGETS[task]))
        experiment = load(path, settings)
        splits = load_splits(experiment.data, experiment.seed)
        return with_micro_batch(build(experiment, "cpu", splits, pretrained=False))

    def in_parts(state, *settings):
        """Return the same training state with its steps divided in another way."""
        experiment = load(tmp_path / "experiment.yaml", settings)
        train, token_budget = state.splits["train"], token_budget_of(experiment, state.device)
        epochs = epoch_sampler_of(experiment, len(train), state.epochs.sizes, None, token_budget)
        epochs = with_unlabeled_turns(epochs, experiment, state.splits)
        return with_micro_batch(replace(state, experiment=experiment, epochs=epochs))

    make.in_parts = in_parts
    return make


def gradients_of(state, step=0):
    """The loss and the gradients of a step in which nothing is dropped and BatchNorm is at rest."""
    state.plan.apply(state.model.network, 0)
    state.model.network.eval()
    state.optimizer.zero_grad(set_to_none=True)
    loss, samples, _ = accumulate_gradients(state, step, batch_feed(state, step))
    gradients = {name: p.grad for name, p in state.model.named_parameters() if p.grad is not None}
    assert gradients
    return loss, samples, gradients


@pytest.mark.parametrize(("kind", "name", "modality", "task"), list(cases()))
def test_a_step_in_parts_has_the_loss_and_the_gradients_of_the_whole(kind, name, modality, task, state_of, monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape, **others: torch.full(shape, 0.05, **others))  # hides all tokens
    settings = overrides(kind, name, modality, task)
    whole = state_of(modality, task, *settings)
    if whole.means is not None:  # as after a step
        size = len(whole.task.classes)
        whole.means.update(torch.tensor([8.0, 6.5, *[10 / size] * size, 10.0], dtype=torch.float64))
    loss, samples, gradients = gradients_of(whole)
    for parts in PARTS[modality]:
        state = state_of.in_parts(whole, *settings, *parts)
        assert len(list(micro_batches(state, 0, batch_feed(state, 0)))) > 1
        found, same, others = gradients_of(state)
        assert (same, others.keys()) == (samples, gradients.keys())
        torch.testing.assert_close(found, loss, rtol=1e-5, atol=1e-6)
        for tensor, gradient in gradients.items():
            tolerance = 1e-5 * float(gradient.abs().max()) + 1e-8
            torch.testing.assert_close(others[tensor], gradient, rtol=1e-3, atol=tolerance)


def mixes():
    return [case for case in cases() if case.values[0] == "mix"]


@pytest.mark.parametrize(("kind", "name", "modality", "task"), mixes())
def test_every_micro_batch_is_mixed(kind, name, modality, task, state_of):
    """By the draw of the whole step: to the bit, and in micro-batches of a single sample too."""
    settings = overrides(kind, name, modality, task)
    whole = state_of(modality, task, *settings)
    (expected,) = micro_batches(whole, 0, batch_feed(whole, 0))
    plain = state_of(modality, task, *settings[1:])
    (unmixed,) = micro_batches(plain, 0, batch_feed(plain, 0))
    state = state_of.in_parts(whole, *settings, "train.micro_batch=1")
    found = list(micro_batches(state, 0, batch_feed(state, 0)))
    targets = torch.cat([batch.targets for batch in found])
    assert len(found) == len(targets) and torch.equal(targets, expected.targets)
    assert sum(batch.share for batch in found) == pytest.approx(1)
    if modality != "text":
        assert torch.equal(torch.cat([batch.inputs for batch in found]), expected.inputs)
        assert all((a != b).any() for a, b in zip(expected.inputs, unmixed.inputs, strict=True))
    else:
        assert torch.equal(torch.cat([batch.inputs.share for batch in found]), expected.inputs.share)
        assert all(0 < float(share) < 1 for share in expected.inputs.share)


def test_a_token_budget_holds_for_mixed_texts(state_of):
    """A short text with a long partner goes through the network as the longer of the two."""
    settings = ["mix={mixup: {alpha: 1}}"]
    state = state_of.in_parts(state_of("text", "single_label", *settings), *settings, "data.batch_tokens=60")
    found = list(micro_batches(state, 0, batch_feed(state, 0)))
    assert len(found) > 2
    for batch in found:
        first, second = batch.inputs.first, batch.inputs.second
        assert first.shape == second.shape and (len(first) == 1 or first.shape[0] * first.shape[2] <= 60)
        assert (first[:, MASK] | second[:, MASK]).any(dim=0).all(), "no place that is padding for all"


def test_a_mix_ends_and_the_steps_are_the_same_batches(state_of):
    settings = ["mix={mixup: {alpha: 1}}", "train.mix_until=2 steps", "train.micro_batch=3"]
    mixed, plain = state_of("image", "single_label", *settings), state_of("image", "single_label", settings[-1])
    mixed_inputs, plain_inputs = (
        [torch.cat([batch.inputs for batch in micro_batches(state, step, batch_feed(state, step))]) for step in (1, 2)]
        for state in (mixed, plain)
    )
    assert not torch.equal(mixed_inputs[0].float(), plain_inputs[0].float())
    assert torch.equal(mixed_inputs[1], plain_inputs[1])


class Dropping(nn.Module):
    """Two numbers a picture, of which what is dropped is drawn for each sample."""

    def __init__(self, drop):
        super().__init__()
        self.drop, self.last = drop, nn.Linear(1, 10)

    def forward(self, pictures):
        return self.last(1 + self.drop(pictures.mean(dim=(1, 2, 3)).unsqueeze(1)))


@pytest.mark.parametrize("drop", [nn.Dropout(0.5), StochasticDepth(0.5, "row")], ids=["dropout", "stochastic depth"])
@pytest.mark.parametrize("objective", ["null", "r_drop"])
def test_what_is_dropped_is_drawn_for_each_sample_whatever_the_parts(drop, objective, state_of):
    """Samples of a micro-batch do not share a draw, nor do micro-batches: the loss varies as that of the whole."""
    settings = [f"objective={objective}"]
    whole = state_of("image", "single_label", *settings)
    losses = []
    for state in (whole, state_of.in_parts(whole, *settings, "train.micro_batch=1")):
        torch.manual_seed(0)
        network = Dropping(drop).train()
        batches = [batch._replace(inputs=batch.inputs / 64) for batch in fed_once(state)]
        losses.append([loss_in_training(state, network, batches, step) for step in range(100)])
    assert ttest_ind(*losses).pvalue > 1e-6
    assert 1 / 1.7 < np.std(losses[0]) / np.std(losses[1]) < 1.7


def fed_once(state):
    return list(micro_batches(state, 0, batch_feed(state, 0)))


def loss_in_training(state, network, batches, step):
    total = 0.0
    for part, batch in enumerate(batches):
        torch.manual_seed(seeds.step_seed(0, step, part))
        total += loss_of(state, batch.inputs, batch.targets, network, step).value.item() * batch.share
    return total


@pytest.mark.parametrize(("accumulate", "code"), [(1, 2), (2, 0)])
def test_a_mix_needs_two_samples_a_step(accumulate, code, tmp_path, capsys):
    (tmp_path / "a.yaml").write_text(PICTURES + "mix: cutmix\n")
    command = ["validate", str(tmp_path / "a.yaml"), "data.batch_size=1", f"train.gradient_accumulation={accumulate}"]
    assert run(command) == code
    said = "data.batch_size must be 2 or more: mix: cutmix mixes each sample with another of its step; got 1"
    assert (said in capsys.readouterr().err) == bool(code)
