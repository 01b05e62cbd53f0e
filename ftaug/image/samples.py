"""Pictures on their way to the model: the functions of `interfaces.Modality`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ftaug.config.registry import Component
from ftaug.errors import FtaugError
from ftaug.image import label_safety
from ftaug.image.augmentations.end_size import check_size, check_size_after
from ftaug.image.augmentations.pipeline import Pipeline, Raw
from ftaug.image.export.preprocessor import IMAGE_CLASSIFICATION, preprocessor
from ftaug.image.export.source import read_by_pillow
from ftaug.image.export.synthetic import synthetic as synthetic
from ftaug.image.io.decode import opened
from ftaug.image.io.decode_cache import VERSION, DecodedSamples
from ftaug.image.io.encode import SUFFIX
from ftaug.image.io.encode import encode as encode_picture
from ftaug.image.predict_inputs import inputs as named_pictures
from ftaug.image.preview import preview as preview
from ftaug.image.render.gpu import PlannedBatch, packed, rendered
from ftaug.image.render.gpu_plan import Planned, planned
from ftaug.interfaces.data import AppliedTransforms, Input, Samples, Streams, Task
from ftaug.interfaces.export import ExportSignature, Reading

on_device = True
cache_version = VERSION

LOOKED_AT = 16
"""Pictures, spread over the data set, whose grey levels are looked at before training."""

FEW_LEVELS = 64


def inputs(named: Sequence[str], train: Component) -> Iterator[Input]:
    """The pictures in files and folders; raises MissingInput."""
    return named_pictures(named, train.settings.get("value_range"))


def pipeline(augment: Sequence[Component], preprocessing: Mapping[str, Any]) -> Pipeline:
    """Make the way from an encoded file or uint8 pixels to the model's input; without augmentations, for evaluation."""
    return Pipeline(tuple(augment), dict(preprocessing))


def prepare(raw: Raw, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...] = ()) -> np.ndarray:
    """Return the picture as the model takes it, uint8 (H, W, 3); raises BadData without the sample's name."""
    pixels = pipeline(raw, streams, labels)
    if streams is not None:  # a rare op may leave another size, which the draws before training did not show
        check_size(pipeline, (pixels.shape[0], pixels.shape[1]))
    return pixels


def plan(raw: Raw, pipeline: Pipeline, streams: Streams, labels: tuple[str, ...] = ()) -> Planned:
    """Do what the device is not to do: decode, slice, shrink, and whatever needs single pixels; raises BadData."""
    plan = planned(raw, pipeline, streams, labels)
    check_size(pipeline, plan.size)
    return plan


def collate_plans(plans: Sequence[Planned]) -> PlannedBatch:
    """Pack planned pictures for the way to the device."""
    return packed(plans)


def finished(inputs: PlannedBatch) -> Tensor:
    """Do on its device what was planned: a uint8 batch (N, 3, H, W) as `collate` gives it."""
    return rendered(inputs)


def account(raw: Raw, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...]) -> AppliedTransforms:
    """Say what is drawn for a picture, and the classes that it shows after that."""
    return pipeline.account(raw, streams, labels)


def cached(samples: Samples, folder: Path, must_keep: bool) -> DecodedSamples:
    """Samples that are decoded once and kept in a folder; where that is full, an error if they must be kept."""
    return DecodedSamples(samples, folder, must_keep)


def footprint(raw: Raw, pipeline: Pipeline, all_streams: Sequence[Streams | None]) -> int:
    """The bytes that the cache keeps of a picture after these draws; none of one that is decoded already."""
    if isinstance(raw, np.ndarray):
        return 0
    picture = opened(raw)
    scales = {pipeline.scale(picture, streams) for streams in all_streams}
    return sum(3 * math.ceil(picture.height / n) * math.ceil(picture.width / n) for n in scales)


def sizes(samples: Samples, ids: np.ndarray, pipeline: Pipeline) -> None:
    """All pictures are as much work as one another."""
    return


def cautions(samples: Samples, ids: np.ndarray, sizes: None, pipeline: Pipeline) -> list[str]:
    """Whether pictures are almost of one grey, as those are whose values were taken to have more bits than they use."""
    looked_at = ids[:: max(1, len(ids) // LOOKED_AT)][:LOOKED_AT]
    levels = np.zeros(256, bool)
    for index in looked_at:
        try:
            levels[opened(samples.read(int(index))).load(1)] = True
        except FtaugError:  # it is met again where pictures are read, and named there
            continue
    low, high = levels.argmax(), 255 - levels[::-1].argmax()
    if not levels.any() or high - low >= FEW_LEVELS:
        return []
    return [
        f"{len(looked_at)} pictures that were looked at use {levels.sum()} of 256 grey levels, {low} to {high}: "
        "if their values have fewer bits than their files, set value_range: [black, white] of the data set"
    ]


def relabels(pipeline: Pipeline) -> bool:
    """Whether an augmentation may change a picture's class."""
    return pipeline.relabels


def hazards(augment: Sequence[Component], task: Task) -> list[str]:
    """What augmentations may do to the labels, for a person; raises ExperimentError for a class that is not there."""
    label_safety.check_classes(augment, task)
    return label_safety.hazards(augment, task)


def check_pipeline(pipeline: Pipeline) -> None:
    """Raise ExperimentError where pictures leave the augmentations in another size than the model takes."""
    check_size_after(pipeline)


def augmented(
    raw: Raw, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...]
) -> tuple[np.ndarray, AppliedTransforms]:
    """The picture as the model takes it, uint8 (H, W, 3), and what was drawn for it; raises BadData."""
    return pipeline(raw, streams, labels), pipeline.account(raw, streams, labels)


def canonical(sample: np.ndarray) -> bytes:
    """The picture's type, shape and values."""
    return f"{sample.dtype.str} {sample.shape} ".encode() + sample.tobytes()


def cells(sample: Raw) -> dict[str, str]:
    """No table holds pictures."""
    return {}


def encode(sample: np.ndarray) -> tuple[bytes, str]:
    """Return the content of a PNG file, and its suffix."""
    return encode_picture(sample), SUFFIX


def collate(prepared: Sequence[np.ndarray]) -> Tensor:
    """Stack pictures, or all their views, to a uint8 batch (N, 3, H, W) whose memory is channels_last."""
    together = np.stack(prepared)
    return torch.from_numpy(together.reshape(-1, *together.shape[-3:])).permute(0, 3, 1, 2)


def concatenated(batches: Sequence[Tensor]) -> Tensor:
    """Join batches of pictures."""
    return torch.cat(list(batches))


def selected(inputs: Tensor, rows: slice | Tensor) -> Tensor:
    """Some pictures of a batch."""
    return inputs[rows]


def sizes_in(inputs: Tensor) -> None:
    """All pictures of a batch are the same work."""


def normaliser(preprocessing: Mapping[str, Any]) -> nn.Module:
    """The module from a batch in 0…255 to what the network expects."""
    return Normaliser(preprocessing["mean"], preprocessing["std"])


def translator(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> nn.Module:
    """The normaliser of another network, after pictures were brought to its size."""
    own = normaliser(wanted)
    return own if given["size"] == wanted["size"] else nn.Sequential(Resized(tuple(wanted["size"])), own)


def facing(model: nn.Module, preprocessing: Mapping[str, Any]) -> ExportSignature:
    """The model called with pictures as they are collated."""
    pixels = {"pixels": {0: "batch"}}
    return ExportSignature(
        model,
        lambda batch: {"pixels": batch.contiguous()},
        pixels,
        {},
        preprocessing,
        {},
        IMAGE_CLASSIFICATION,
        preprocessor(preprocessing),
    )


def reading(preprocessing: Mapping[str, Any], train: Component) -> Reading:
    """Pictures by Pillow and NumPy, on the scale of training."""
    return read_by_pillow(train.settings.get("value_range"))


def described(preprocessing: Mapping[str, Any]) -> str:
    """How a picture becomes the model's input, in a line."""
    height, width = preprocessing["size"]
    resize, mode = preprocessing["resize"], preprocessing.get("crop_mode", "center")
    if mode == "border":
        way = f"fitted into a shorter side of {resize or min(height, width)}, padded with the mean color"
    elif mode == "squash" and resize:
        way = f"from the centre of a picture squashed to a shorter side of {resize}"
    else:
        way = f"from the centre of a shorter side of {resize}" if resize else "squashed"
    if train_size := preprocessing.get("train_size"):
        way += f" (in training {train_size[0]}×{train_size[1]})"
    values = f"mean {preprocessing['mean']}, std {preprocessing['std']}"
    return f"{height}×{width} {way}, {preprocessing['interpolation']}; {values}"


class Resized(nn.Module):
    """Bring a batch of pictures to another size."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size

    def forward(self, batch: Tensor) -> Tensor:
        """From (N, 3, H, W) of any type to float32 of the size."""
        return interpolate(batch.float(), self.size, mode="bilinear", antialias=True)


class Normaliser(nn.Module):
    """Subtract the mean and divide by the deviation that pretraining used, both for values in 0…1."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, batch: Tensor) -> Tensor:
        """From uint8 or float (N, 3, H, W) to float32."""
        return (batch.float() - self.mean) / self.std
