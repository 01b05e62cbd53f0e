"""The corruptions by which the robustness of image models is measured, and how they are applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from ftaug.config.registry import Component
from ftaug.image.augmentations.corruption import KINDS, is_small
from ftaug.image.augmentations.pipeline import Pipeline, Raw, apply
from ftaug.image.augmentations.transforms import Canvas
from ftaug.image.evaluation import evaluated
from ftaug.image.io.decode import opened
from ftaug.image.render.resample import Pixels
from ftaug.interfaces.data import AppliedTransforms, Streams
from ftaug.interfaces.modality import Corruption, Corruptions

CATEGORIES = {
    "noise": ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"),
    "blur": ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "gaussian_blur"),
    "weather": ("snow", "frost", "fog", "brightness", "spatter"),
    "digital": ("contrast", "elastic_transform", "pixelate", "jpeg_compression", "saturate"),
}
EXTRA = ("speckle_noise", "gaussian_blur", "spatter", "saturate")
"""Published for validation: they are not part of the mean."""

POLICIES = (
    *("auto_augment", "rand_augment", "trivial_augment", "augmix", "torchvision.AutoAugment"),
    *("torchvision.RandAugment", "torchvision.TrivialAugmentWide", "torchvision.AugMix"),
)
JITTER = ("color_jitter", "simclr", "moco", "torchvision.ColorJitter", "torchvision.RandomPhotometricDistort")
SIMILAR = {
    "gaussian_noise": ("gaussian_noise", "torchvision.GaussianNoise"),
    "shot_noise": ("shot_noise",),
    "impulse_noise": ("salt_and_pepper",),
    "motion_blur": ("motion_blur",),
    "gaussian_blur": ("gaussian_blur", "simclr", "moco", "three_augment", "torchvision.GaussianBlur"),
    "defocus_blur": ("gaussian_blur", "simclr", "moco", "three_augment", "torchvision.GaussianBlur"),
    "fog": ("fog",),
    "brightness": ("brightness", *JITTER, *POLICIES),
    "contrast": ("contrast", *JITTER, *POLICIES),
    "saturate": ("saturation", *JITTER, *POLICIES),
    "elastic_transform": ("elastic", "torchvision.ElasticTransform"),
    "pixelate": ("downscale",),
    "jpeg_compression": ("jpeg", "torchvision.JPEG"),
}


def corruptions(preprocessing: Mapping[str, Any]) -> Corruptions:
    """Return the 15 common corruptions and the 4 published for validation, at 5 levels each."""
    category_of = {kind: category for category, kinds in CATEGORIES.items() for kind in kinds}
    members = [
        Corruption(
            kind,
            category_of[kind],
            tuple(_component(kind, level) for level in range(1, 6)),
            SIMILAR.get(kind, ()),
            kind in EXTRA,
        )
        for kind in KINDS
    ]
    height, width = preprocessing["size"]
    published = "CIFAR-10-C" if is_small(height, width) else "ImageNet-C"
    return Corruptions(members, [f"constants of {published}, since the model takes {height}×{width} pixels"])


def _component(kind: str, level: int) -> Component:
    settings = {"kind": kind, "level": level, "probability": 1.0}
    return Component("augmentation", "corruption", settings, "image", "ftaug.image.augmentations")


class CorruptingPipeline(Pipeline):
    """Preprocess as in evaluation, then augment the model's input; test-time augmentation is off."""

    @cached_property
    def in_training(self) -> Mapping[str, Any]:
        """Return the preprocessing of evaluation."""
        return self.preprocessing

    def rendering(
        self, raw: Raw, streams: Streams | None, labels: tuple[str, ...] = ()
    ) -> tuple[Pixels, AppliedTransforms]:
        """Return a function that corrupts the input, uint8 (H, W, 3), and what it applies; raises BadData."""
        pixels = evaluated(opened(raw), {**self.preprocessing, "views": None})
        height, width = pixels.shape[:2]
        fired = list(self.fired(Canvas(height, width, (height, width), labels), streams))
        draws = [draw for _, draws, _ in fired for draw in draws]
        values = {name: {k: v for draw in draws for k, v in draw.values.items()} for name, draws, _ in fired}
        interpolation = self.preprocessing.get("interpolation", "bilinear")
        return partial(apply, draws, opened(pixels), interpolation), AppliedTransforms(values, labels)


def corrupting_pipeline(augment: Sequence[Component], preprocessing: Mapping[str, Any]) -> CorruptingPipeline:
    """Build the pipeline that corrupts images by augmentations at the size of the model's input."""
    return CorruptingPipeline(tuple(augment), dict(preprocessing))
