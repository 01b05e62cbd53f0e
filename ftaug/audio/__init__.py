"""The audio modality: declares its component registries."""

from ftaug.config.kinds import ANY_TASK, CLASSES
from ftaug.config.modalities import declare
from ftaug.config.registry import Registry

SPECTROGRAM_SIZE = "the size of a spectrogram follows from the backbone's seconds and mels"

declare(
    "audio",
    without_effect={
        "data.bucket": "all windows of a batch are of one length",
        "data.batch_tokens": "sounds have no tokens",
        "data.augment_device": "waveforms are augmented by the workers",
        "evaluate.tta": "the views of a sound are the backbone's windows",
        **dict.fromkeys(("input.size", "input.resize", "input.interpolation", "input.train_size"), SPECTROGRAM_SIZE),
    },
)

augmentation = Registry(
    "augmentation",
    given=("sound", "rng"),
    modality="audio",
    severity=None,  # settings that control its strength: {setting: (weakest, strongest)}
    standard=False,  # whether `ftaug ablate` tries to add it
    varies=True,  # whether it makes the views of a sample differ, for contrastive objectives
    stage="wave",  # when it is applied: "time", as the sound is read; "wave"; or "mel", on the spectrogram
)
mix = Registry("mix", given=("inputs", "targets", "rng"), modality="audio", tasks=CLASSES, standard=False)
backbone = Registry("backbone", given=("classes", "input"), modality="audio")
explainer = Registry("explainer", given=("output", "sample"), modality="audio", refined_by=None)
dataset = Registry(
    "dataset",
    given=("split",),
    modality="audio",
    tasks=ANY_TASK,  # possible tasks of its samples, or a function from its settings to them
    archives=False,  # whether its setting `path` names archives
    labeled=True,  # whether its samples have classes or numbers
)
