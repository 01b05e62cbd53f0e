"""What the libraries do for the same five pipelines, each from encoded files to 8-bit pixels of one size.

A preparation takes several files: ftaug's loader draws their augmentations before it applies them, the others take one
after another. A preparation of None says that a library does not have a pipeline. Strengths are matched: a crop of 8 to
100 % of the area, a flip, ±15 degrees, shifts of 10 %, zooms of 0.8 to 1.25, slants of 10 degrees, a jitter of 0.4,
0.4, 0.4, 0.1.
"""

import io
import os
from collections.abc import Callable, Sequence
from functools import partial

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import cv2
import numpy as np
import torch
from PIL import Image

Preparation = Callable[[Sequence[bytes]], Sequence[object]]
OfOne = Callable[[bytes], object]
PIPELINES = ("crop, flip", "crop, flip, affine, jitter", "trivial_augment", "rand_augment", "simclr")


def ftaug(pipeline: str, size: int) -> Preparation:
    """As `ftaug train` does it, the random streams included."""
    from typing import Annotated

    from pydantic import TypeAdapter

    import ftaug.image.augmentations  # noqa: F401  registers them
    from ftaug.config.registry import Component
    from ftaug.config.schema import OfKind
    from ftaug.engine.loading.seeds import streams
    from ftaug.image import samples

    crop = ["random_resized_crop", "horizontal_flip"]
    ops = {
        "crop, flip": crop,
        "crop, flip, affine, jitter": [
            *crop,
            *("rotate", "translate", "scale", "shear", "brightness", "contrast", "saturation", "hue"),
        ],
        "trivial_augment": [*crop, "trivial_augment"],
        "rand_augment": [*crop, "rand_augment"],
        "simclr": ["simclr"],
    }[pipeline]
    adapter = TypeAdapter(list[Annotated[Component, OfKind("augmentation")]])
    bound = adapter.validate_python(ops, context={"folder": "", "modality": "image"})
    preprocessing = {
        "size": [size, size],
        "resize": None,
        "interpolation": "bilinear",
        "mean": [0.5] * 3,
        "std": [1] * 3,
    }
    prepared = samples.pipeline(bound, preprocessing)
    drawn = iter(range(10**9))

    def prepare(files: Sequence[bytes]) -> Sequence[np.ndarray]:
        views = [samples.draw(data, prepared, streams(0, next(drawn), 0))[0] for data in files]
        return [view() for view in views]

    return prepare


def _torchvision(pipeline: str, size: int) -> Callable[..., object]:
    from torchvision.transforms import InterpolationMode, v2

    bilinear = InterpolationMode.BILINEAR
    crop = [v2.RandomResizedCrop(size, antialias=True), v2.RandomHorizontalFlip()]
    kernel = size // 20 * 2 + 1
    more = {
        "crop, flip": [],
        "crop, flip, affine, jitter": [
            v2.RandomAffine(15, (0.1, 0.1), (0.8, 1.25), 10, interpolation=bilinear),
            v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
        ],
        "trivial_augment": [v2.TrivialAugmentWide(interpolation=bilinear)],
        "rand_augment": [v2.RandAugment(interpolation=bilinear)],
        "simclr": [
            v2.RandomApply([v2.ColorJitter(0.8, 0.8, 0.8, 0.2)], 0.8),
            v2.RandomGrayscale(0.2),
            v2.RandomApply([v2.GaussianBlur(kernel, (0.1 * size / 224, 2.0 * size / 224))], 0.5),
        ],
    }[pipeline]
    return v2.Compose([*crop, *more])


def torchvision_on_pil(pipeline: str, size: int) -> OfOne:
    transform = _torchvision(pipeline, size)
    return lambda data: np.asarray(transform(Image.open(io.BytesIO(data)).convert("RGB")))


def torchvision_on_tensors(pipeline: str, size: int) -> OfOne:
    from torchvision.io import ImageReadMode, decode_image

    transform = _torchvision(pipeline, size)
    return lambda data: transform(decode_image(torch.frombuffer(bytearray(data), dtype=torch.uint8), ImageReadMode.RGB))


def timm(pipeline: str, size: int) -> OfOne | None:
    from timm.data.auto_augment import rand_augment_transform
    from timm.data.transforms import RandomResizedCropAndInterpolation
    from torchvision import transforms

    ops = [RandomResizedCropAndInterpolation(size, interpolation="bilinear"), transforms.RandomHorizontalFlip()]
    if pipeline == "rand_augment":
        ops.append(rand_augment_transform("rand-m9-n2-inc1", {"translate_const": int(0.45 * size)}))
    elif pipeline != "crop, flip":
        return None
    transform = transforms.Compose(ops)
    return lambda data: np.asarray(transform(Image.open(io.BytesIO(data)).convert("RGB")))


def albumentations(pipeline: str, size: int, antialiased: bool = False) -> OfOne | None:
    """By default it shrinks crops without antialiasing; with it, by the mean over the area of a pixel."""
    import albumentations as alb

    kernel = size // 20 * 2 + 1
    more = {
        "crop, flip": [],
        "crop, flip, affine, jitter": [
            alb.Affine((0.8, 1.25), (-0.1, 0.1), rotate=(-15, 15), shear={"x": (-10, 10), "y": (0, 0)}, p=1),
            alb.ColorJitter((0.6, 1.4), (0.6, 1.4), (0.6, 1.4), (-0.1, 0.1), p=1),
        ],
        "simclr": [
            alb.ColorJitter((0.2, 1.8), (0.2, 1.8), (0.2, 1.8), (-0.2, 0.2), p=0.8),
            alb.ToGray(p=0.2),
            alb.GaussianBlur((kernel, kernel), (0.1 * size / 224, 2.0 * size / 224), p=0.5),
        ],
    }
    if pipeline not in more:
        return None
    area = "image" if antialiased else None
    crop = [alb.RandomResizedCrop(size=(size, size), area_for_downscale=area), alb.HorizontalFlip()]
    transform = alb.Compose([*crop, *more[pipeline]])
    return lambda data: transform(image=_by_opencv(data))["image"]


def kornia(pipeline: str, size: int) -> OfOne | None:
    from kornia import augmentation
    from kornia.augmentation import auto

    more = {
        "crop, flip": [],
        "crop, flip, affine, jitter": [
            augmentation.RandomAffine(15.0, (0.1, 0.1), (0.8, 1.25), 10.0, p=1.0),
            augmentation.ColorJitter(0.4, 0.4, 0.4, 0.1, p=1.0),
        ],
        "trivial_augment": [auto.TrivialAugment()],
        "rand_augment": [auto.RandAugment(2, 9)],
    }
    if pipeline not in more:
        return None
    crop = [augmentation.RandomResizedCrop((size, size)), augmentation.RandomHorizontalFlip()]
    transform = torch.nn.Sequential(*crop, *more[pipeline])

    def prepare(data: bytes) -> object:
        picture = torch.from_numpy(_by_opencv(data)).permute(2, 0, 1)[None].float() / 255
        return transform(picture).mul(255).round().to(torch.uint8)

    return prepare


def _by_opencv(data: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB))


LIBRARIES: dict[str, Callable[[str, int], OfOne | None]] = {
    "torchvision, PIL": torchvision_on_pil,
    "torchvision, tensors": torchvision_on_tensors,
    "timm": timm,
    "albumentations": albumentations,
    "albumentations, antialiased": partial(albumentations, antialiased=True),
    "kornia": kornia,
}


def available(pipeline: str, size: int) -> dict[str, Preparation]:
    """The preparations of the libraries that are installed and have the pipeline."""
    found = {"ftaug": ftaug(pipeline, size)}
    for name, library in LIBRARIES.items():
        try:
            preparation = library(pipeline, size)
        except ImportError:
            continue
        if preparation is not None:
            found[name] = partial(_one_by_one, preparation)
    return found


def _one_by_one(prepare: OfOne, files: Sequence[bytes]) -> Sequence[object]:
    return [prepare(data) for data in files]
