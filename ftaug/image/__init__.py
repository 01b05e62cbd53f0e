"""Image modality: declares the registries of image augmentations, mixes, backbones and datasets."""

from ftaug.config.kinds import ANY_TASK, CLASSES
from ftaug.config.modalities import declare
from ftaug.config.registry import Registry

declare(
    "image",
    without_effect={
        "data.bucket": "all pictures of a batch are of one size",
        "data.batch_tokens": "pictures have no tokens",
    },
)

augmentation = Registry(
    "augmentation",
    given=("canvas", "rng"),
    modality="image",
    severity=None,  # the settings that control the strength, each with its weakest and strongest value
    standard=False,  # whether `ftaug ablate` tries to add it
    composite=False,  # whether it applies several others
    mirrors=None,  # "horizontally" or "vertically"
    varies=False,  # whether views of a sample that are compared may differ in it
    turns=None,  # the largest rotation angle in degrees, the setting that holds it, or a function of the settings
    chance="probability",  # the setting with the probability of mirroring or rotating
)
mix = Registry("mix", given=("inputs", "targets", "rng"), modality="image", tasks=CLASSES, standard=False)
backbone = Registry("backbone", given=("classes", "input"), modality="image")
dataset = Registry(
    "dataset",
    given=("split",),
    modality="image",
    tasks=ANY_TASK,  # the kinds of task that its samples may have, or a function from settings to them
    labeled=True,  # whether its samples have classes or numbers
    archives=False,  # whether its setting `path` names archives
)
explainer = Registry(
    "explainer",
    given=("output", "sample"),
    modality="image",
    refined_by=None,  # the setting that is doubled while the completeness error is too large
)
