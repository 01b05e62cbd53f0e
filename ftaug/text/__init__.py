"""The text modality: declares its component registries."""

from ftaug.config.kinds import ANY_TASK, CLASSES
from ftaug.config.modalities import declare
from ftaug.config.registry import Registry

NO_PICTURES = "texts are cut at the backbone's max_length"

declare(
    "text",
    without_effect={
        "data.order": "texts are in memory already",
        "data.cache": "texts are in memory already",
        "data.augment_device": "texts are augmented by the workers",
        "data.bad_samples": "texts are read before training, and those that cannot be are an error",
        "evaluate.tta": "a text has one view",
        **dict.fromkeys(("input.size", "input.resize", "input.interpolation", "input.train_size"), NO_PICTURES),
    },
)

augmentation = Registry(
    "augmentation",
    given=("passage", "rng"),
    modality="text",
    severity=None,  # settings that control its strength: {setting: (weakest, strongest)}
    standard=False,  # whether `ftaug ablate` tries to add it
    varies=True,  # whether it makes the views of a sample differ, for contrastive objectives
    ahead=None,  # check of settings, lexicon and texts before training: raise, or return notes
)
mix = Registry("mix", given=("inputs", "targets", "rng"), modality="text", tasks=CLASSES, standard=False)
backbone = Registry("backbone", given=("classes", "input"), modality="text")
dataset = Registry(
    "dataset",
    given=("split",),
    modality="text",
    tasks=ANY_TASK,  # possible tasks of its samples, or a function from its settings to them
    labeled=True,  # whether its samples have classes or numbers
    archives=False,  # whether its setting `path` names archives
)
objective = Registry(
    "objective",
    given=("forward", "views", "targets", "loss"),
    modality="text",
    tasks=ANY_TASK,
    compares=None,
    learns_targets=True,  # whether the network learns to classify, and is evaluated
    outputs=None,
    unlabeled=False,
    views=1,
)
explainer = Registry(
    "explainer",
    given=("output", "sample"),
    modality="text",
    refined_by=None,  # the setting that is doubled while the completeness error is too large
)
