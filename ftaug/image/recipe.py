"""The settings proposed for a dataset of pictures, by how many there are and of what size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ftaug.recipes.recipe import Choice, Facts, Model, Recipe

SMALL = 64  # pictures up to this shorter side are for the small network
FEW = 1000  # up to so many pictures the early layers stay frozen
BATCH_SIZES = (4, 8, 16, 32)
STEPS = 20  # of an epoch, at least
EPOCHS = ((500, 50), (5000, 20), (50_000, 10))  # for fewer pictures than the first number
MOST_PICTURES_EPOCHS = 5

SMALL_NETWORK = "resnet20"  # for 32×32 pixels
NORM_BEHIND = re.compile(r"(timm/)?(convnext|swin|maxvit|densenet|shufflenet|mobilenet|vit_[bhl]_)")
"""Networks with a small stage, such as a norm or a convolution, between the last blocks and the head."""
HAVE_LAYER4 = re.compile(r"(wide_)?resne(x)?t(18|34|50|101|152)(_\w+)?")


@dataclass(frozen=True, kw_only=True)
class PictureFacts(Facts):
    """What a recipe for pictures is chosen by."""

    height: int  # medians
    width: int

    @property
    def small(self) -> bool:
        """Whether the pictures are of the size of icons, digits or letters."""
        return min(self.height, self.width) <= SMALL


def recipe(facts: PictureFacts) -> Recipe:
    """The settings and their reasons."""
    model = facts.model or _model(facts)
    small = model.name == SMALL_NETWORK
    return Recipe(
        batch_size=_batch_size(facts),
        backbone=Choice(model.value, _why_model(facts, model)),
        unfreeze=_unfreeze(facts, model),
        augment=_augment(facts, small),
        loss=_loss(facts),
        optimizer=Choice({"adamw": {"weight_decay": 0.05}}, "the usual choice for fine-tuning"),
        lr={
            "peak": Choice(0.003, "a small network bears a high rate")
            if small
            else Choice(0.0003, "usual for fine-tuning; to search one: ftaug lr-find THIS_FILE"),
            "schedule": Choice({"cosine": {"warmup": "5%"}}, "rises at first, then falls to 0"),
        },
        train={"epochs": _epochs(facts)},
        evaluate=_evaluate(facts),
    )


def _model(facts: PictureFacts) -> Model:
    return Model(SMALL_NETWORK, {"weights": "letters"}) if facts.small else Model("resnet18", {"weights": "imagenet"})


def _why_model(facts: PictureFacts, model: Model) -> str:
    if facts.model is not None:
        return "as requested"
    if model.name == SMALL_NETWORK:
        return f"made for 32×32 pixels; the pictures have {facts.width}×{facts.height}"
    return "a small and quick network; others: ftaug list backbone"


def _batch_size(facts: PictureFacts) -> Choice:
    size = max((size for size in BATCH_SIZES if size * STEPS <= facts.samples), default=BATCH_SIZES[0])
    largest = size == BATCH_SIZES[-1]
    return Choice(size, "a common size" if largest else f"small, so that an epoch has about {STEPS} steps or more")


def _epochs(facts: PictureFacts) -> Choice:
    epochs = next((epochs for limit, epochs in EPOCHS if facts.samples < limit), MOST_PICTURES_EPOCHS)
    return Choice(epochs, f"fewer pictures need more epochs; there are {facts.samples:,}")


def _unfreeze(facts: PictureFacts, model: Model) -> Choice:
    if not model.pretrained:
        return Choice(["all"], "without pretrained weights all layers must learn")
    if model.name == SMALL_NETWORK or facts.samples >= FEW:
        why = "a small network" if model.name == SMALL_NETWORK else f"{facts.samples:,} pictures"
        return Choice(["all"], f"{why}: all layers can learn")
    last: list[Any] = (
        ["layer4", "head"]
        if HAVE_LAYER4.fullmatch(model.name)
        else [{"last": 3 if NORM_BEHIND.match(model.name) else 2}]
    )
    return Choice(last, "few pictures: the early layers stay as pretrained")


def _augment(facts: PictureFacts, small: bool) -> tuple[Choice, ...]:
    if small or facts.small:
        return (
            Choice({"rotate": {"degrees": 10}}, "small pictures are often digits or letters, which must stay readable"),
            Choice({"translate": {"x": 0.1, "y": 0.1}}, "by up to a tenth of the width and the height"),
        )
    return (
        Choice({"random_resized_crop": {"scale": [0.35, 1.0]}}, "at least a third of the picture's area"),
        Choice("horizontal_flip", "not where left and right matter, as in letters"),
    )


def _loss(facts: PictureFacts) -> Choice:
    if facts.kind == "regression":
        return Choice("huber", "for numbers; outliers count less than with squared_error")
    if facts.kind == "multi_label":
        return Choice("binary_cross_entropy", "a picture has any number of labels")
    if facts.imbalanced:
        why = f"the largest class is {facts.imbalance:.0f} times the smallest"
        return Choice({"cross_entropy": {"class_weights": "balanced"}}, why)
    return Choice({"cross_entropy": {"label_smoothing": 0.1}}, "smoothing keeps the model from being overconfident")


def _evaluate(facts: PictureFacts) -> dict[str, Choice]:
    if facts.kind == "regression":
        metrics, best, why = ["rmse", "mae", "r2", "spearman"], "rmse", "in the unit of the numbers; lower is better"
    elif facts.kind == "multi_label":
        metrics, best, why = ["f1", "average_precision", "accuracy"], "f1", "counts rare labels as much as common ones"
    elif facts.imbalanced:
        metrics, best = ["balanced_accuracy", "accuracy", "f1"], "balanced_accuracy"
        why = "counts every class alike, however small"
    else:
        metrics, best, why = ["accuracy", "f1"], "accuracy", "the classes are of similar size"
    return {
        "every": Choice("1 epoch", "on the validation split"),
        "metrics": Choice(metrics, "all of them: ftaug list metric"),
        "best": Choice(best, why),
    }
