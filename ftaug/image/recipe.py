"""Recipe for images: propose training settings from the number and size of the images."""

from __future__ import annotations

from dataclasses import dataclass

from ftaug.image.backbones import efficientnet_lite0
from ftaug.recipes.recipe import SMOOTHED, Choice, Facts, Model, Recipe, by_size, evaluation_by_task, loss_by_task

SMALL = 64  # images up to this shorter side get the small network
SMALL_NETWORK = "resnet20"  # for 32×32 pixels

FEWEST = 60  # up to this many images batches are small, so that there are enough steps
BATCH_SIZES = ((FEWEST, 8), (1000, 16))  # for up to so many pictures
LARGE_BATCH = 32
EPOCHS = ((500, 40), (2000, 20), (10_000, 10))  # for up to so many pictures
MOST_PICTURES_EPOCHS = 5


@dataclass(frozen=True, kw_only=True)
class PictureFacts(Facts):
    """Facts about an image dataset that the recipe depends on."""

    height: int  # medians
    width: int

    @property
    def small(self) -> bool:
        """Return whether the images have the size of icons, digits or letters."""
        return min(self.height, self.width) <= SMALL


def recipe(facts: PictureFacts) -> Recipe:
    """Return the proposed settings with their reasons."""
    model = facts.model or _model(facts)
    return Recipe(
        batch_size=_batch_size(facts),
        backbone=Choice(model.value, _why_model(facts, model)),
        unfreeze=_unfreeze(model),
        augment=_augment(facts, model.name == SMALL_NETWORK),
        loss=loss_by_task(facts, "picture") or SMOOTHED,
        optimizer=Choice({"adamw": {"weight_decay": 0.05}}, "the usual choice for fine-tuning"),
        lr=_rates(model),
        train={"epochs": _epochs(facts)},
        evaluate=evaluation_by_task(facts),
    )


def _model(facts: PictureFacts) -> Model:
    if facts.small:
        return Model(SMALL_NETWORK, {"weights": "letters"})
    name = "efficientnet_lite0" if efficientnet_lite0.is_installed() else "resnet18"
    return Model(name, {"weights": "imagenet"})


def _why_model(facts: PictureFacts, model: Model) -> str:
    if facts.model is not None:
        return "as requested"
    if model.name == SMALL_NETWORK:
        return f"made for 32×32 pixels; the pictures have {facts.width}×{facts.height}"
    if model.name == "efficientnet_lite0":
        return "small, its weights are installed; others: ftaug list backbone"
    return "small and quick; others: ftaug list backbone"


def _batch_size(facts: PictureFacts) -> Choice:
    size = by_size(BATCH_SIZES, facts.samples, LARGE_BATCH)
    return Choice(size, "a common size" if size == LARGE_BATCH else "small, so that few pictures give enough steps")


def _epochs(facts: PictureFacts) -> Choice:
    epochs = by_size(EPOCHS, facts.samples, MOST_PICTURES_EPOCHS)
    return Choice(epochs, f"fewer pictures need more epochs; there are {facts.samples:,}")


def _unfreeze(model: Model) -> Choice:
    if not model.pretrained:
        return Choice(["all"], "without pretrained weights all layers must learn")
    return Choice(["all"], "more accurate than the head alone from 10 pictures a class on")


def _rates(model: Model) -> dict[str, Choice]:
    small = model.name == SMALL_NETWORK
    why = "a small network bears a high rate" if small else "to search one: ftaug lr-find THIS_FILE"
    return {
        "peak": Choice(0.003 if small else 0.0003, why),
        "schedule": Choice({"cosine": {"warmup": "10%"}}, "rises at first, then falls to 0"),
    }


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
