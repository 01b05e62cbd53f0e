import itertools
import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from ftaug.components.losses import (
    classification,
    regression,  # noqa: F401 - register
)
from ftaug.config.kinds import loss as registry
from ftaug.errors import ExperimentError
from ftaug.interfaces.data import ClassCounts

N, C = 12, 5
COUNTS = ClassCounts(torch.tensor([30, 4, 9, 1, 16]), 60)


def logits(scale=3.0, dtype=torch.float64):
    return torch.randn(N, C, dtype=dtype, generator=torch.Generator().manual_seed(1)) * scale


def indices():
    return torch.randint(0, C, (N,), generator=torch.Generator().manual_seed(2))


def soft():
    return torch.rand(N, C, dtype=torch.float64, generator=torch.Generator().manual_seed(3)).softmax(dim=1)


def multi_hot():
    return (torch.rand(N, C, generator=torch.Generator().manual_seed(4)) > 0.6).double()


OF_CLASSES = [name for name in registry if registry[name].facts["activation"] != "identity"]
TARGETS = {"index": indices, "soft": soft, "multi_hot": multi_hot}
SOFT = [name for name in OF_CLASSES if registry[name].facts["soft_targets"]]
WITH_TARGETS = [(name, kind) for name in OF_CLASSES for kind in TARGETS if kind == "index" or name in SOFT]


def dense(targets):
    return targets if targets.ndim == 2 else F.one_hot(targets, C).double()


ACTIVATIONS = {
    "cross_entropy": "softmax",
    "focal": "softmax",
    "binary_cross_entropy": "sigmoid",
    "binary_focal": "sigmoid",
    "logit_adjusted": "softmax",
    "ordinal": "softmax",
    "mse": "identity",
    "mae": "identity",
    "huber": "identity",
}


def test_the_activation_of_every_loss_is_known():
    activations = {name: registry[name].facts["activation"] for name in registry}
    assert set(activations.values()) == {"softmax", "sigmoid", "identity"}
    assert activations | ACTIVATIONS == activations


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("kind", ["index", "soft"])
def test_cross_entropy_is_torchs(kind, smoothing):
    z, t = logits(), TARGETS[kind]()
    expected = F.cross_entropy(z, t, label_smoothing=smoothing)
    torch.testing.assert_close(classification.cross_entropy(z, t, COUNTS, label_smoothing=smoothing), expected)


def test_cross_entropy_divides_by_the_samples_whatever_the_weights():
    z, t, weights = logits(), indices(), (1.0, 2.0, 0.5, 3.0, 0.0)
    p = z.softmax(dim=1)
    expected = -sum(weights[c] * p[n, c].log() for n, c in enumerate(t.tolist())) / N
    torch.testing.assert_close(classification.cross_entropy(z, t, COUNTS, class_weights=weights), expected)


@pytest.mark.parametrize("name", ["cross_entropy", "focal"])
def test_balanced_weights_are_sklearns(name):
    z, t = logits(), indices()
    samples = np.repeat(np.arange(C), COUNTS.per_class.numpy())
    weights = tuple(compute_class_weight("balanced", classes=np.arange(C), y=samples))
    function = registry[name].function
    balanced = function(z, t, COUNTS, class_weights="balanced")
    torch.testing.assert_close(balanced, function(z, t, COUNTS, class_weights=weights))


def test_logit_adjustment_is_cross_entropy_of_shifted_logits():
    z, t = logits(), indices()
    shares = COUNTS.per_class.double() / COUNTS.samples
    p = (z.exp() * shares**1.5) / (z.exp() * shares**1.5).sum(dim=1, keepdim=True)
    expected = -p[torch.arange(N), t].log().mean()
    torch.testing.assert_close(classification.logit_adjusted(z, t, COUNTS, tau=1.5), expected)


def test_what_logit_adjustment_makes_small_are_the_chances_with_all_classes_alike():
    """Where the classes are seen with shares π, the best logits are those of p(class | x) / π."""
    shares = COUNTS.per_class.double() / COUNTS.samples
    chances = soft()
    z = (chances / shares).log().requires_grad_()
    classification.logit_adjusted(z, chances, COUNTS).backward()
    torch.testing.assert_close(z.grad, torch.zeros_like(z), atol=1e-12, rtol=0)


def test_logit_adjustment_survives_a_class_without_samples():
    assert torch.isfinite(
        classification.logit_adjusted(logits(), indices(), ClassCounts(torch.tensor([5, 5, 0, 5, 5]), 20))
    )


def test_a_class_without_training_samples_weighs_nothing_when_balanced():
    counts = ClassCounts(torch.tensor([10, 10, 0, 10, 10]), 40)
    t = torch.tensor([0, 1, 3, 4, 0, 1, 3, 4, 0, 1, 3, 4])
    balanced = classification.cross_entropy(logits(), t, counts, class_weights="balanced")
    torch.testing.assert_close(balanced, classification.cross_entropy(logits(), t, counts))


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_binary_cross_entropy_is_the_formula(kind, smoothing):
    z, t = logits(), TARGETS[kind]()
    y = dense(t) * (1 - smoothing) + smoothing / 2
    p = torch.sigmoid(z)
    expected = -(y * p.log() + (1 - y) * (1 - p).log()).sum() / N
    actual = classification.binary_cross_entropy(z, t, COUNTS, label_smoothing=smoothing)
    torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize(
    ("setting", "weights"),
    [
        (2.5, [2.5] * C),
        ((1.0, 2.0, 3.0, 4.0, 5.0), [1.0, 2.0, 3.0, 4.0, 5.0]),
        ("balanced", [(60 - n) / n for n in COUNTS.per_class.tolist()]),
    ],
)
def test_positive_weights_scale_the_terms_of_classes_that_are_there(setting, weights):
    z, t = logits(), multi_hot()
    expected = F.binary_cross_entropy_with_logits(z, t, pos_weight=torch.tensor(weights).double(), reduction="sum") / N
    torch.testing.assert_close(classification.binary_cross_entropy(z, t, COUNTS, positive_weight=setting), expected)


def test_balanced_positive_weights_survive_a_class_without_samples():
    value = classification.binary_cross_entropy(
        logits(), multi_hot(), ClassCounts(torch.tensor([5, 5, 0, 5, 5]), 20), positive_weight="balanced"
    )
    assert torch.isfinite(value)


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_is_the_formula(kind, gamma):
    z, t = logits(), TARGETS[kind]()
    p = z.softmax(dim=1)
    expected = -(dense(t) * (1 - p) ** gamma * p.log()).sum() / N
    torch.testing.assert_close(classification.focal(z, t, COUNTS, gamma=gamma), expected)


@pytest.mark.parametrize("kind", ["index", "multi_hot"])
@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("alpha", [0.25, 0.9, None])
def test_binary_focal_is_torchvisions(kind, gamma, alpha):
    z, t = logits(), TARGETS[kind]()
    expected = sigmoid_focal_loss(z, dense(t), alpha=-1 if alpha is None else alpha, gamma=gamma).sum() / N
    torch.testing.assert_close(classification.binary_focal(z, t, COUNTS, gamma=gamma, alpha=alpha), expected)


@pytest.mark.parametrize("name", SOFT)
def test_mixed_targets_mix_the_losses(name):
    function, z, first, second = registry[name].function, logits(), dense(indices()), dense(indices().roll(1))
    mixed = function(z, 0.3 * first + 0.7 * second, COUNTS)
    torch.testing.assert_close(mixed, 0.3 * function(z, first, COUNTS) + 0.7 * function(z, second, COUNTS))


@pytest.mark.parametrize(("name", "kind"), WITH_TARGETS)
def test_parts_of_a_batch_add_up(name, kind):
    function, z, t = registry[name].function, logits(), TARGETS[kind]()
    parts = 4 * function(z[:4], t[:4], COUNTS) + 8 * function(z[4:], t[4:], COUNTS)
    torch.testing.assert_close(function(z, t, COUNTS), parts / N)


@pytest.mark.parametrize(("name", "kind"), WITH_TARGETS)
@pytest.mark.parametrize("scale", [0.0, 30.0, 1e4])
def test_extreme_logits_give_finite_losses_and_gradients(name, kind, scale):
    z = logits(scale, torch.float32).requires_grad_()
    settings = {"gamma": 0.5} if "focal" in name else {}
    value = registry[name].function(z, TARGETS[kind](), COUNTS, **settings)
    value.backward()
    assert value.dtype == torch.float32
    assert torch.isfinite(value)
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize(("name", "kind"), WITH_TARGETS)
def test_gradients_are_those_of_finite_differences(name, kind):
    t = TARGETS[kind]()
    assert torch.autograd.gradcheck(lambda z: registry[name].function(z, t, COUNTS), logits(1.0).requires_grad_())


@pytest.mark.parametrize("name", OF_CLASSES)
def test_half_precision_logits_are_computed_in_float32(name):
    z = logits(1.0, torch.bfloat16)
    function = registry[name].function
    assert torch.equal(function(z, indices(), COUNTS), function(z.float(), indices(), COUNTS))


@pytest.mark.parametrize(
    ("name", "setting"),
    [("cross_entropy", "class_weights"), ("focal", "class_weights"), ("binary_cross_entropy", "positive_weight")],
)
def test_weights_for_another_number_of_classes_are_refused(name, setting):
    with pytest.raises(ExperimentError, match=rf"{setting} must have one number per class \(5\); got 3"):
        registry[name].function(logits(), indices(), COUNTS, **{setting: (1.0, 2.0, 3.0)})


def by_hand(name, z, t, weights=None, smoothing=0.0):
    """The loss of each sample in plain Python floats: the weight of its label times the loss of its smoothed target."""
    z, t = z.tolist(), dense(t).tolist()
    weights = [1.0] * C if weights is None else weights
    total = 0.0
    for row, target in zip(z, t, strict=True):
        if name == "cross_entropy":
            norm = math.log(sum(map(math.exp, row)))
            for label, share in enumerate(target):
                smoothed = [(label == c) * (1 - smoothing) + smoothing / C for c in range(C)]
                total += share * weights[label] * sum(s * (norm - x) for s, x in zip(smoothed, row, strict=True))
        else:
            for weight, share, x in zip(weights, target, row, strict=True):
                yes, no = math.log1p(math.exp(-x)), math.log1p(math.exp(x))
                high, low = 1 - smoothing / 2, smoothing / 2
                total += share * weight * (high * yes + low * no) + (1 - share) * (low * yes + high * no)
    return total / len(z)


WEIGHTS = (1.0, 9.0, 0.5, 30.0, 0.0)
WEIGHTED = [("cross_entropy", "class_weights"), ("binary_cross_entropy", "positive_weight")]


@pytest.mark.parametrize(("name", "setting"), WEIGHTED)
@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_a_weight_scales_all_of_the_loss_of_its_label(name, setting, kind, smoothing, weights):
    if name == "cross_entropy" and kind == "multi_hot":
        return  # its targets are shares that sum to 1
    weights = tuple(w or 0.25 for w in weights) if weights and setting == "positive_weight" else weights
    z, t = logits(), TARGETS[kind]()
    value = registry[name].function(z, t, COUNTS, label_smoothing=smoothing, **{setting: weights})
    assert float(value) == pytest.approx(by_hand(name, z, t, weights, smoothing), rel=1e-9)


@pytest.mark.parametrize(("name", "setting"), WEIGHTED)
def test_weights_and_smoothing_together_learn_what_can_be_told_apart(name, setting):
    """One sample a class, classes weighted by 1 … 10 000: the best logits name every class."""
    z = torch.zeros(C, C, requires_grad=True)
    weights = (1.0, 10.0, 100.0, 1000.0, 10_000.0)
    optimizer = torch.optim.LBFGS([z], max_iter=500, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = registry[name].function(z, torch.arange(C), COUNTS, label_smoothing=0.1, **{setting: weights})
        loss.backward()
        return loss

    optimizer.step(closure)
    assert z.argmax(dim=1).tolist() == list(range(C))
    if name == "binary_cross_entropy":
        assert (z > 0).equal(torch.eye(C) > 0)


def test_balanced_positive_weights_are_negatives_over_positives_of_each_label():
    """100 samples, of which 100, 10 and 60 have the labels: weights 0, 9 and 2/3."""
    z = torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64)
    counts = ClassCounts(torch.tensor([100, 10, 60]), 100)
    value = classification.binary_cross_entropy(z, torch.ones(1, 3), counts, positive_weight="balanced")
    expected = 9 * math.log1p(math.exp(1.0)) + 2 / 3 * math.log1p(math.exp(-2.0))
    assert float(value) == pytest.approx(expected)


DEFAULTS = {key: [p.default] for name in registry for key, p in registry[name].settings().items()}
VALUES = DEFAULTS | {
    "label_smoothing": [0.0, 0.2],
    "class_weights": [None, "balanced", (1.0, 9.0, 0.5, 30.0, 0.0)],
    "positive_weight": [None, "balanced", (1.0, 9.0, 0.5, 30.0, 0.1)],
    "gamma": [0.0, 2.0],
    "alpha": [None, 0.25],
    "tau": [0.5, 1.0],
    "delta": [0.5, 1.0],
}
"""Settings that are not listed here keep their default."""


def combinations():
    """Every loss with every combination of its settings."""
    for name in registry:
        settings = registry[name].settings()
        for values in itertools.product(*(VALUES[key] for key in settings)):
            yield pytest.param(name, dict(zip(settings, values, strict=True)), id=f"{name}-{values}")


WITH_SETTINGS = list(combinations())


def targets_of(name):
    activation = registry[name].facts["activation"]
    kinds = {
        "softmax": [indices, soft],
        "sigmoid": [indices, soft, multi_hot],
        "identity": [lambda: logits().roll(1, 0)],
    }
    return [kind() for kind in kinds[activation][: None if registry[name].facts["soft_targets"] else 1]]


@pytest.mark.parametrize(("name", "settings"), WITH_SETTINGS)
def test_with_all_settings_parts_of_a_batch_add_up(name, settings):
    function, z = registry[name].function, logits()
    for t in targets_of(name):
        whole = function(z, t, COUNTS, **settings)
        parts = [function(z[part], t[part], COUNTS, **settings) * len(z[part]) for part in (slice(0, 5), slice(5, N))]
        torch.testing.assert_close(sum(parts) / N, whole)


@pytest.mark.parametrize(("name", "settings"), WITH_SETTINGS)
def test_with_all_settings_a_mixed_target_has_the_mixed_loss(name, settings):
    """Which weighs and smooths each label by itself: λ loss(a) + (1 − λ) loss(b), as the papers of mixing have it."""
    if name not in SOFT:
        return
    function, z, first, second = registry[name].function, logits(), dense(indices()), dense(indices().roll(1))
    mixed = function(z, 0.3 * first + 0.7 * second, COUNTS, **settings)
    apart = 0.3 * function(z, first, COUNTS, **settings) + 0.7 * function(z, second, COUNTS, **settings)
    torch.testing.assert_close(mixed, apart)
