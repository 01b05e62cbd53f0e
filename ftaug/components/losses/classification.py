"""Losses on logits: the sum over the samples divided by their number, so that accumulated batches add up exactly.

Targets are class indices (N,), or (N, C): shares of the classes (soft, from mixing) or 0 and 1 (multi-hot).
N is the number of samples, whatever the weights. A weight belongs to a label and scales all of its loss: it is applied
before smoothing, so that no label is pulled towards a class by that class's weight. All losses are linear in targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from ftaug.config.kinds import loss
from ftaug.config.types import NonNegative, Positive, Probability
from ftaug.errors import ExperimentError

if TYPE_CHECKING:
    from torch import Tensor

    from ftaug.interfaces.data import ClassCounts

TINY = 1e-12
ClassWeights = Literal["balanced"] | tuple[NonNegative, ...] | None


@loss.register(activation="softmax", tasks=("single_label",))
def cross_entropy(
    logits: Tensor,
    targets: Tensor,
    counts: ClassCounts,
    *,
    label_smoothing: Probability = 0.0,
    class_weights: ClassWeights = None,
) -> Tensor:
    """Cross-entropy of the softmax: one class per sample.

    −1/N Σ_n w(y_n) Σ_c [(1 − ε) 1(c = y_n) + ε/C] log p_c, N the number of samples, whatever the weights

    Settings:
        label_smoothing: share ε of the target that is spread over all C classes
        class_weights: a weight for the samples of each class; `balanced` makes every class weigh the same in sum

    It differs from `torch.nn.CrossEntropyLoss`, which divides by the sum of the weights, and scales the smoothed share
    of each class by the weight of that class instead of the weight of the label.
    """
    from torch.nn.functional import cross_entropy

    logits = _precise(logits)
    weight = _class_weights(class_weights, counts, logits)
    if weight is None:
        targets = targets.to(logits.dtype) if targets.ndim == 2 else targets
        return cross_entropy(logits, targets, label_smoothing=label_smoothing, reduction="sum") / len(logits)
    weighted = _dense(logits, targets) * weight
    smoothed = weighted.lerp(weighted.mean(dim=1, keepdim=True), label_smoothing)
    return cross_entropy(logits, smoothed, reduction="sum") / len(logits)


@loss.register(activation="sigmoid")
def binary_cross_entropy(
    logits: Tensor,
    targets: Tensor,
    counts: ClassCounts,
    *,
    label_smoothing: Probability = 0.0,
    positive_weight: Literal["balanced"] | Positive | tuple[Positive, ...] | None = None,
) -> Tensor:
    """Binary cross-entropy, summed over the classes: any number of classes per sample, or one against the rest.

    −1/N Σ_n Σ_c w(y) [s log σ(z) + (1 − s) log(1 − σ(z))], s = y (1 − ε) + ε/2; w(1) = w_c and w(0) = 1

    Settings:
        label_smoothing: how far ε the targets 0 and 1 are moved towards 1/2
        positive_weight: weight w_c of a class that is present: one number, one per class, or `balanced`, which is the
            training samples without the class over those with it
    """
    from torch.nn.functional import logsigmoid

    logits = _precise(logits)
    targets, smoothing = _dense(logits, targets), label_smoothing / 2.0
    weight = _positive_weight(positive_weight, counts, logits)
    present, absent = targets if weight is None else targets * weight, 1.0 - targets
    positive = (1.0 - smoothing) * present + smoothing * absent
    negative = (1.0 - smoothing) * absent + smoothing * present
    return -(positive * logsigmoid(logits) + negative * logsigmoid(-logits)).sum() / len(logits)


@loss.register(activation="softmax", tasks=("single_label",))
def logit_adjusted(logits: Tensor, targets: Tensor, counts: ClassCounts, *, tau: Positive = 1.0) -> Tensor:
    """Cross-entropy with logits adjusted by the class frequencies, for balanced accuracy (Menon et al. 2020).

    cross_entropy(z + τ log π), π the shares of the classes in training; the model answers z, without that

    Settings:
        tau: how much the shares are corrected for; 1 makes the mean over the classes of the share found the largest

    A class without training samples counts as if it had one.
    """
    from torch.nn.functional import cross_entropy

    logits = _precise(logits)
    seen = counts.per_class.to(logits).clamp(min=1)
    targets = targets.to(logits.dtype) if targets.ndim == 2 else targets
    return cross_entropy(logits + tau * (seen / seen.sum()).log(), targets, reduction="sum") / len(logits)


@loss.register(activation="softmax", tasks=("single_label",))
def focal(
    logits: Tensor,
    targets: Tensor,
    counts: ClassCounts,
    *,
    gamma: NonNegative = 2.0,
    class_weights: ClassWeights = None,
) -> Tensor:
    """Focal loss of the softmax: cross-entropy that down-weights well-classified samples (Lin et al. 2017).

    −1/N Σ_n Σ_c w_c y (1 − p)^γ log p

    Settings:
        gamma: how strongly they are down-weighted; 0 is cross-entropy
        class_weights: a weight for each class (the paper's α); `balanced` makes every class weigh the same in sum
    """
    logits = _precise(logits)
    log_p = logits.log_softmax(dim=1)
    others = -log_p.expm1().clamp(max=-TINY)
    terms = _dense(logits, targets) * others**gamma * log_p
    weight = _class_weights(class_weights, counts, logits)
    return -(terms if weight is None else terms * weight).sum() / len(logits)


@loss.register(activation="sigmoid")
def binary_focal(
    logits: Tensor, targets: Tensor, counts: ClassCounts, *, gamma: NonNegative = 2.0, alpha: Probability | None = 0.25
) -> Tensor:
    """Focal loss of the sigmoid, summed over the classes: any number of classes per sample (Lin et al. 2017).

    Settings:
        gamma: how strongly well-classified samples are down-weighted; 0 is binary cross-entropy
        alpha: weight of a class that is present, against 1 − alpha for one that is absent; null: both 1
    """
    from torch.nn.functional import logsigmoid

    logits = _precise(logits)
    wanted = _dense(logits, targets)
    log_p, log_q = logsigmoid(logits), logsigmoid(-logits)
    there, absent = wanted * (gamma * log_q).exp() * log_p, (1.0 - wanted) * (gamma * log_p).exp() * log_q
    terms = there + absent if alpha is None else alpha * there + (1.0 - alpha) * absent
    return -terms.sum() / len(logits)


def _precise(logits: Tensor) -> Tensor:
    """Convert logits to at least float32, also under autocast."""
    import torch

    return logits if logits.dtype == torch.float64 else logits.float()


def _dense(logits: Tensor, targets: Tensor) -> Tensor:
    """Convert targets to (N, C) in the dtype of the logits; class indices become one-hot."""
    from torch.nn.functional import one_hot

    return (targets if targets.ndim == 2 else one_hot(targets, logits.shape[1])).to(logits.dtype)


def _class_weights(setting: ClassWeights, counts: ClassCounts, logits: Tensor) -> Tensor | None:
    if setting is None:
        return None
    if setting == "balanced":
        return _balanced(counts.per_class).to(logits)
    return _one_per_class("class_weights", setting, logits)


def _balanced(counts: Tensor) -> Tensor:
    """n / (classes × count), so that the weights average 1 over the training samples; 0 for a class without samples."""
    share = counts.double() * (counts > 0).sum() / counts.sum()
    return share.reciprocal().where(counts > 0, 0.0)


def _positive_weight(
    setting: str | float | Sequence[float] | None, counts: ClassCounts, logits: Tensor
) -> Tensor | None:
    if setting is None:
        return None
    if setting == "balanced":
        positives = counts.per_class.double()
        return ((counts.samples - positives) / positives).where(positives > 0, 1.0).to(logits)
    weights = setting if isinstance(setting, Sequence) else [setting] * logits.shape[1]
    return _one_per_class("positive_weight", weights, logits)


def _one_per_class(name: str, weights: Sequence[float | str], logits: Tensor) -> Tensor:
    classes = logits.shape[1]
    if len(weights) != classes:
        raise ExperimentError(f"loss: {name} must have one number per class ({classes}); got {len(weights)}")
    return logits.new_tensor(weights)
