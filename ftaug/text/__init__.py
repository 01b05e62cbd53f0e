"""All that knows a text. Declares the kinds of component that texts have."""

from ftaug.config.modalities import declare
from ftaug.config.registry import Registry

declare(
    "text",
    without_effect={
        "data.cache": "texts are in memory already",
        "data.augment_on": "texts are augmented by the workers",
        "evaluate.views": "a text has one view",
    },
)

augmentation = Registry(
    "augmentation",
    given=("passage", "rng"),
    modality="text",
    severity=None,  # the settings that say how strong it is, each with its weakest and its strongest value
    varies=True,  # whether views of a sample that are compared differ in it
)
mix = Registry("mix", given=("inputs", "targets", "rng"), modality="text")
backbone = Registry("backbone", given=("classes",), modality="text")
dataset = Registry("dataset", given=("split",), modality="text")
objective = Registry(
    "objective",
    given=("forward", "views", "targets", "loss"),
    modality="text",
    tells_classes=True,  # whether the network learns to tell classes, and is measured by that
)
