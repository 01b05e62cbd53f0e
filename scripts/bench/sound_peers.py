"""What people run to classify few sounds with a pretrained network, on the same weights, windows and spectrograms.

Rate, window and front end are those of the file that `ftaug init` writes; recordings stay decoded in memory. Training
sees a random window, testing the mean over the windows. All in fp32.

- probe: logistic regression on pooled features, the mean over the windows, its penalty by 5-fold cross-validation.
- lp_ft: the probe's weights as the head, then all layers at a low rate; as in recipe_peers.py.
- trainer: the audio classification example of transformers: its Trainer, AdamW, 3e-5, linear with 10 % of warm-up, 5
  epochs. Its batches of 32 are batches of 8 here, or a run would be a step or two an epoch.
- fastai: fastai's fine_tune with base_lr 2e-3: one epoch of the head, then 10 of all layers by the one-cycle policy, at
  rates from a hundredth on.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from recipe_peers import Task, accuracy, arguments, fastai_learner, lp_ft, no_validation, probe
from torch import nn

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.clip import Clip, Recording
from ftaug.audio.io.resample import length, window
from ftaug.audio.log_mel import LogMel
from ftaug.engine.loading.seeds import streams


@dataclass(frozen=True)
class SoundTask(Task):
    """What is to be done on sounds, which take the place of pictures: the folder has train/CLASS and test/CLASS."""

    form: dict[str, Any] = field(default_factory=dict)  # preprocessing of the backbone `spectrogram`

    def split(self, name: str) -> tuple[list[Any], torch.Tensor]:
        """The recordings of a split at the rate of the network, and their classes."""
        classes = sorted(path.name for path in (self.folder / "train").iterdir())
        files = [
            (file, code)
            for code, label in enumerate(classes)
            for file in sorted((self.folder / name / label).iterdir())
        ]
        return [self.decoded(Clip(str(file))) for file, _ in files], torch.tensor([code for _, code in files])

    def decoded(self, clip: Clip) -> Recording:
        rate = self.form["rate"]
        return Recording(window(clip, rate, 0, length(clip, rate)).wave, rate)

    @property
    def evaluation(self) -> Callable[[Any], torch.Tensor]:
        """The spectrograms of all windows of a recording."""
        pipeline, log_mel = Pipeline((), {**self.form, "views": None}), LogMel(self.form)
        return lambda sound: log_mel(torch.from_numpy(pipeline.packed(Clip(sound), None)[0]))

    @property
    def cropping(self) -> Callable[[Any], torch.Tensor]:
        """The spectrogram of a random window."""
        pipeline, log_mel = Pipeline((), self.form), LogMel(self.form)

        def cropped(sound: Any) -> torch.Tensor:
            drawn = streams(self.seed, 0, int(torch.randint(1 << 30, ())))
            spectrogram: torch.Tensor = log_mel(torch.from_numpy(pipeline.packed(Clip(sound), drawn)[0]))[0]
            return spectrogram

        return cropped

    def precision(self) -> Any:
        return nullcontext()

    def outputs(self, run: Callable[[torch.Tensor], torch.Tensor], pictures: list[Any]) -> torch.Tensor:
        """What a network in evaluation mode gives for the recordings: the mean over their windows."""
        see = self.evaluation
        with torch.inference_mode():
            return torch.stack([run(channels_last(see(sound))).mean(dim=0) for sound in pictures])

    def spectrograms(self) -> "Cropped":
        return Cropped(*self.split("train"), self.cropping)


def channels_last(spectrograms: torch.Tensor) -> torch.Tensor:
    return spectrograms.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Cropped(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """Random windows of recordings in memory, and their classes."""

    sounds: list[Any]
    labels: torch.Tensor
    crop: Callable[[Any], torch.Tensor]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.crop(self.sounds[index]), int(self.labels[index])


class WithLoss(nn.Module):
    """A network as the Trainer calls it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        logits = self.model(channels_last(inputs))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def by_trainer(task: SoundTask, batch: int = 8) -> tuple[float, dict[str, Any]]:
    from transformers import Trainer

    def collated(samples: list[tuple[torch.Tensor, int]]) -> dict[str, torch.Tensor]:
        inputs, labels = zip(*samples, strict=True)
        return {"inputs": torch.stack(inputs), "labels": torch.tensor(labels)}

    model = task.model()
    settings = {"learning_rate": 3e-5, "warmup_steps": 0.1}  # a share of the steps
    Trainer(
        WithLoss(model), arguments(task.epochs, task.seed, batch, **settings), collated, task.spectrograms()
    ).train()
    return accuracy(task, model), {**settings, "optimizer": "adamw", "batch": batch, "schedule": "linear"}


def by_fastai(task: SoundTask, batch: int = 8) -> tuple[float, dict[str, Any]]:
    from fastai.vision.all import CrossEntropyLossFlat, DataLoaders

    torch.set_default_device("cpu")
    loader = torch.utils.data.DataLoader(task.spectrograms(), batch, shuffle=True, drop_last=True)
    learner = fastai_learner(task, DataLoaders(loader, loader), n_out=task.classes, loss_func=CrossEntropyLossFlat())
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(task.epochs, cbs=[no_validation()])
    return accuracy(task, learner.model), {"base_lr": 2e-3, "freeze_epochs": 1, "batch": batch}


PEERS: dict[str, tuple[Callable[[Any], tuple[float, dict[str, Any]]], int]] = {
    "probe": (probe, 1),
    "lp_ft": (lp_ft, 20),
    "trainer": (by_trainer, 5),
    "fastai": (by_fastai, 10),
}
"""Each with the epochs that are published for it, or that its users choose where it has none."""
