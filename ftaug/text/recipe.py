"""Default hyperparameters for a text dataset, by its size and task (`ftaug init`)."""

from __future__ import annotations

from ftaug.recipes.recipe import SMOOTHED, Choice, Facts, Model, Recipe, by_size, loss_by_task

BATCH_SIZES = (4, 8, 16, 32)
STEPS = 20  # minimum number of steps per epoch
EPOCHS = ((2000, 20), (20_000, 8))  # (number of texts, epochs): for fewer texts than that
MOST_TEXTS_EPOCHS = 4
AUGMENTATION = "aeda"
ADAMW = Choice({"adamw": {"weight_decay": 0.01}}, "the usual choice for fine-tuning")
WHY_LINEAR = "rises at first, then falls to 0"
ALL = Choice(["all"], "text encoders are usually fine-tuned as a whole")

# With mean pooling, measured by scripts/bench/recipes from all-MiniLM-L6-v2 with 10 texts a class.
POOLED_BATCH_SIZES = ((60, 8), (1000, 16))  # (number of texts, batch size): for up to that many
POOLED_LARGE_BATCH = 32
POOLED_EPOCHS = ((60, 20), (2000, 10), (20_000, 5))  # (number of texts, epochs): for up to that many
POOLED_MOST_TEXTS_EPOCHS = 3


def recipe(facts: Facts) -> Recipe:
    """Choose hyperparameters, each with its reason."""
    model = facts.model or Model("tiny_text", {})
    if model.settings.get("pooling") == "mean" and model.pretrained:
        return _sentence_encoder_recipe(facts, model)
    why_model = "comes with ftaug; any encoder of transformers: {hf: {path: FOLDER_OR_NAME}}"
    return Recipe(
        batch_size=_batch_size(facts),
        backbone=Choice(model.value, "as requested" if facts.model else why_model),
        unfreeze=ALL,
        augment=(Choice(AUGMENTATION, "inserts punctuation; all of them: ftaug list augmentation"),),
        loss=loss_by_task(facts, "text"),
        optimizer=ADAMW,
        lr={"peak": _peak_lr(model), "schedule": Choice({"linear": {"warmup": "6%"}}, WHY_LINEAR)},
        train={"epochs": _epochs(facts)},
        evaluate=_evaluate(facts),
    )


def _sentence_encoder_recipe(facts: Facts, model: Model) -> Recipe:
    """Choose hyperparameters for a sentence encoder with mean pooling: low learning rate, higher for the head."""
    size = by_size(POOLED_BATCH_SIZES, facts.samples, POOLED_LARGE_BATCH)
    epochs = by_size(POOLED_EPOCHS, facts.samples, POOLED_MOST_TEXTS_EPOCHS)
    why_size = "a common size" if size == POOLED_LARGE_BATCH else "small, so that few texts give enough steps"
    return Recipe(
        batch_size=Choice(size, why_size),
        backbone=Choice(model.value, "as requested; mean: by 1_Pooling/config.json in its folder"),
        unfreeze=ALL,
        augment=(),
        loss=loss_by_task(facts, "text") or SMOOTHED,
        optimizer=ADAMW,
        lr={
            "peak": Choice(0.0001, "the pretrained layers need little change; to search one: ftaug lr-find THIS_FILE"),
            "layer_decay": Choice(0.8, "each layer's rate is 0.8 times the next one's"),
            "stages": Choice({"head": 30}, "the head is new and starts at zero, so it learns at 30 times the rate"),
            "schedule": Choice({"linear": {"warmup": "10%"}}, WHY_LINEAR),
        },
        train={"epochs": Choice(epochs, f"fewer texts need more epochs; there are {facts.samples:,}")},
        evaluate=_evaluate(facts),
    )


def _batch_size(facts: Facts) -> Choice:
    size = max((size for size in BATCH_SIZES if size * STEPS <= facts.samples), default=BATCH_SIZES[0])
    largest = size == BATCH_SIZES[-1]
    return Choice(size, "a common size" if largest else f"small, so that an epoch has about {STEPS} steps or more")


def _peak_lr(model: Model) -> Choice:
    if model.name == "hf":
        return Choice(0.00005, "usual for pretrained encoders; to search one: ftaug lr-find THIS_FILE")
    return Choice(0.0005, "a small network bears a high rate")


def _epochs(facts: Facts) -> Choice:
    epochs = next((epochs for limit, epochs in EPOCHS if facts.samples < limit), MOST_TEXTS_EPOCHS)
    return Choice(epochs, f"fewer texts need more epochs; there are {facts.samples:,}")


def _evaluate(facts: Facts) -> dict[str, Choice]:
    if facts.kind == "regression":
        metrics, best, why = ["rmse", "mae", "r2", "spearman"], "rmse", "in the unit of the numbers; lower is better"
    elif facts.kind == "multi_label" or facts.imbalanced:
        metrics, best, why = ["accuracy", "f1"], "f1", "counts rare classes as much as common ones"
    else:
        metrics, best, why = ["accuracy", "f1"], "accuracy", "the classes are of similar size"
    return {"metrics": Choice(metrics, "all of them: ftaug list metric"), "best": Choice(best, why)}
