"""Image implementation of `interfaces.Modality`: prepare, collate, normalize, cache and check image samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ftaug.config.registry import Component
from ftaug.errors import BadData, ExperimentError, FtaugError
from ftaug.image import label_safety
from ftaug.image.augmentations.end_size import check_size, check_size_after
from ftaug.image.augmentations.pipeline import Pipeline, Raw
from ftaug.image.corruptions import corrupting_pipeline as corrupting_pipeline
from ftaug.image.corruptions import corruptions as corruptions
from ftaug.image.explanation import explanation as explanation
from ftaug.image.export.preprocessor import IMAGE_CLASSIFICATION, preprocessor
from ftaug.image.export.source import read_by_pillow
from ftaug.image.export.synthetic import synthetic as synthetic
from ftaug.image.io.decode import opened
from ftaug.image.io.decode_cache import VERSION, DecodedSamples
from ftaug.image.io.encode import SUFFIX
from ftaug.image.io.encode import encode as encode_picture
from ftaug.image.packed_file import packed_file as packed_file
from ftaug.image.picture_facts import picture_facts
from ftaug.image.predict_inputs import inputs as named_pictures
from ftaug.image.preview import preview as preview
from ftaug.image.render.gpu import PlannedBatch, packed, rendered
from ftaug.image.render.gpu_plan import Planned, planned
from ftaug.image.render.resample import Pixels
from ftaug.image.report_items import explained_item as explained_item
from ftaug.image.report_items import report_item as report_item
from ftaug.interfaces.data import AppliedTransforms, Input, Samples, Streams, Task
from ftaug.interfaces.export import ExportSignature, Reading

on_device = True
cache_version = VERSION

LOOKED_AT = 16
"""Number of images, spread over the data set, whose gray levels are checked before training."""

FEW_LEVELS = 64


def inputs(named: Sequence[str], train: Component) -> Iterator[Input]:
    """Yield the images in files and folders; raises MissingInput."""
    return named_pictures(named, train.settings.get("value_range"))


def parts(inputs: Iterator[Input], seconds: float) -> Iterator[Input]:
    """Raise ExperimentError: images have no duration."""
    raise ExperimentError("--every: images have no seconds; it is for sounds")


def as_raw(value: Any, train: Component) -> np.ndarray:
    """Return the pixels of an array or a PIL image; raises BadData unless they are uint8 (H, W, 3)."""
    pixels = np.asarray(value)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise BadData(f"must be RGB pixels, uint8 (height, width, 3); got {pixels.dtype} {pixels.shape}")
    return pixels


def pipeline(augment: Sequence[Component], preprocessing: Mapping[str, Any]) -> Pipeline:
    """Return the pipeline from an encoded file or uint8 pixels to the model's input."""
    return Pipeline(tuple(augment), dict(preprocessing))


def prepare(
    raw: Raw, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...] = ()
) -> tuple[np.ndarray, AppliedTransforms]:
    """Augment and preprocess an image; return uint8 (H, W, 3) and the transforms applied. Raises BadData."""
    pixels, applied = draw(raw, pipeline, streams, labels)
    return pixels(), applied


def draw(
    raw: Raw, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...] = ()
) -> tuple[Pixels, AppliedTransforms]:
    """Draw the transforms of an image; return a function that decodes the image and applies them. Raises BadData."""
    pixels, applied = pipeline.rendering(raw, streams, labels)
    return pixels if streams is None else partial(_of_input_size, pixels, pipeline), applied


def _of_input_size(rendering: Pixels, pipeline: Pipeline) -> np.ndarray:
    """Return the pixels; a rare op may leave another size, which the draws before training did not show."""
    pixels = rendering()
    check_size(pipeline, (pixels.shape[0], pixels.shape[1]))
    return pixels


def plan(
    raw: Raw, pipeline: Pipeline, streams: Streams, labels: tuple[str, ...] = ()
) -> tuple[Callable[[], Planned], AppliedTransforms]:
    """Draw the transforms of an image for the GPU; return a function for the CPU's part. Raises BadData.

    That decodes, crops, downscales and filters pixels.
    """
    rendering, applied = planned(raw, pipeline, streams, labels)
    return partial(_plan_of_input_size, rendering, pipeline), applied


def _plan_of_input_size(rendering: Callable[[], Planned], pipeline: Pipeline) -> Planned:
    plan = rendering()
    check_size(pipeline, plan.size)
    return plan


def collate_plans(plans: Sequence[Planned]) -> PlannedBatch:
    """Collate planned images for the transfer to the device."""
    return packed(plans)


def finished(inputs: PlannedBatch) -> Tensor:
    """Run the device part of augmentation: a uint8 batch (N, 3, H, W), as `collate` returns."""
    return rendered(inputs)


def cached(samples: Samples, folder: Path, must_keep: bool) -> DecodedSamples:
    """Wrap samples in a cache of decoded images; a full disk is an error only with `must_keep`."""
    return DecodedSamples(samples, folder, must_keep)


def footprint(raw: Raw, pipeline: Pipeline, all_streams: Sequence[Streams | None]) -> int:
    """Return the bytes that the cache stores of an image for these draws; 0 if it is decoded already."""
    if isinstance(raw, np.ndarray):
        return 0
    picture = opened(raw)
    scales = {pipeline.scale(picture, streams) for streams in all_streams}
    return sum(3 * math.ceil(picture.height / n) * math.ceil(picture.width / n) for n in scales)


def sizes(samples: Samples, ids: np.ndarray, pipeline: Pipeline) -> None:
    """Return None: all images cost the same."""
    return


def cautions(samples: Samples, ids: np.ndarray, sizes: None, pipeline: Pipeline) -> list[str]:
    """Warn about images that use few gray levels, as when values have fewer bits than their files."""
    looked_at = ids[:: max(1, len(ids) // LOOKED_AT)][:LOOKED_AT]
    levels = np.zeros(256, bool)
    for index in looked_at:
        try:
            levels[opened(samples.read(int(index))).load(1)] = True
        except FtaugError:  # reported again, with its name, when the sample is read
            continue
    low, high = levels.argmax(), 255 - levels[::-1].argmax()
    if not levels.any() or high - low >= FEW_LEVELS:
        return []
    return [
        f"{len(looked_at)} pictures that were checked use {levels.sum()} of 256 grey levels, {low} to {high}: "
        "if their values have fewer bits than their files, set value_range: [black, white] of the data set"
    ]


def relabels(pipeline: Pipeline) -> bool:
    """Return whether an augmentation may change an image's class."""
    return pipeline.relabels


def label_cautions(augment: Sequence[Component], task: Task) -> list[str]:
    """Return messages on augmentations that may change labels; raises ExperimentError for an unknown class."""
    label_safety.check_classes(augment, task)
    return label_safety.cautions(augment, task)


def check_pipeline(pipeline: Pipeline) -> None:
    """Raise ExperimentError if augmented images have another size than the model's input."""
    check_size_after(pipeline)


def augmented(
    raw: Raw, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...]
) -> tuple[np.ndarray, AppliedTransforms]:
    """Return the augmented image, uint8 (H, W, 3), and the transforms applied to it; raises BadData."""
    return pipeline.augmented(raw, streams, labels)


def as_seen(raw: Raw, pipeline: Pipeline, streams: Streams | None, labels: tuple[str, ...]) -> np.ndarray:
    """Return the augmented image; raises BadData."""
    return pipeline.augmented(raw, streams, labels)[0]


def sample_facts(raw: Raw) -> dict[str, float]:
    """Compute brightness, contrast, sharpness, size and aspect ratio of an image; raises BadData."""
    return picture_facts(raw)


def canonical(sample: np.ndarray) -> bytes:
    """Return the image's dtype, shape and values as bytes, for comparison."""
    return f"{sample.dtype.str} {sample.shape} ".encode() + sample.tobytes()


def cells(sample: Raw) -> dict[str, str]:
    """Return no cells: images are not stored in tables."""
    return {}


def encode(sample: np.ndarray) -> tuple[bytes, str]:
    """Encode an image as PNG; return the file content and its suffix."""
    return encode_picture(sample), SUFFIX


def collate(prepared: Sequence[np.ndarray]) -> Tensor:
    """Stack images, or all their views, to a uint8 batch (N, 3, H, W) in channels_last memory format."""
    stacked = np.stack(prepared)
    return torch.from_numpy(stacked.reshape(-1, *stacked.shape[-3:])).permute(0, 3, 1, 2)


def concatenated(batches: Sequence[Tensor]) -> Tensor:
    """Concatenate batches of images."""
    return torch.cat(list(batches))


def selected(inputs: Tensor, rows: slice | Tensor) -> Tensor:
    """Select images of a batch."""
    return inputs[rows]


def sizes_in(inputs: Tensor) -> None:
    """Return None: all images of a batch cost the same."""


def normalizer(preprocessing: Mapping[str, Any]) -> nn.Module:
    """Return the module that normalizes a batch in 0…255 to the network's input."""
    return Normalize(preprocessing["mean"], preprocessing["std"])


def translator(source: Mapping[str, Any], target: Mapping[str, Any]) -> nn.Module:
    """Return a module that resizes and normalizes a batch for another network, such as a teacher."""
    if source["size"] == target["size"]:
        return normalizer(target)
    return nn.Sequential(Resized(tuple(target["size"])), normalizer(target))


def export_signature(
    model: nn.Module, preprocessing: Mapping[str, Any], activate: Callable[[nn.Module], nn.Module]
) -> ExportSignature:
    """Return the export signature of a model that takes collated images."""
    pixels = {"pixels": {0: "batch"}}
    return ExportSignature(
        activate(model),
        lambda batch: {"pixels": batch.contiguous()},
        pixels,
        {},
        preprocessing,
        {},
        IMAGE_CLASSIFICATION,
        preprocessor(preprocessing),
    )


def reading(preprocessing: Mapping[str, Any], train: Component) -> Reading:
    """Return the script source that reads images with Pillow and NumPy, with the value range of training."""
    return read_by_pillow(train.settings.get("value_range"))


def described(preprocessing: Mapping[str, Any]) -> str:
    """Describe the preprocessing in one human-readable line."""
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
    """Resize a batch of images with antialiasing."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size

    def forward(self, batch: Tensor) -> Tensor:
        """Resize (N, 3, H, W) of any dtype to float32 (N, 3, *size)."""
        return interpolate(batch.float(), self.size, mode="bilinear", antialias=True)


class Normalize(nn.Module):
    """Normalize a batch in 0…255 with the mean and standard deviation of pretraining, both for values in 0…1."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", 255 * torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", 255 * torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, batch: Tensor) -> Tensor:
        """Normalize uint8 or float (N, 3, H, W) to float32."""
        return (batch.float() - self.mean) / self.std
