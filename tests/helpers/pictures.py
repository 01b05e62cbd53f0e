"""Pictures and augmentations for the tests."""

import io
from typing import Annotated

import cv2
import numpy as np
from PIL import Image
from pydantic import TypeAdapter

import ftaug.augment.compose  # noqa: F401 - registers
from ftaug.config.registry import REGISTRIES, Component
from ftaug.config.schema import OfKind
from ftaug.engine.loading.seeds import streams as engine_streams
from ftaug.image import samples

AUGMENTATIONS = list(REGISTRIES["augmentation", "image"])


INNER = ["rotate", {"hue": {"strength": 0.5}}, {"translate": {"x": 0.3, "y": 0.3}}]
REQUIRED = (
    {"corruption": {"kind": "shot_noise"}}
    | {name: {"choices": INNER} for name in ("one_of", "some_of")}
    | {name: {"ops": INNER} for name in ("apply", "shuffle")}
)
TORCHVISIONS = {"size": 16, "target_size": [16, 16], "min_size": 12, "max_size": 20, "padding": 2, "kernel_size": 3}
TORCHVISIONS |= {"quality": 50, "sharpness_factor": 2.0, "degrees": 20.0, "bits": 4, "threshold": 128.0}
for _name in AUGMENTATIONS:
    if _name.startswith("torchvision."):
        _parameters = REGISTRIES["augmentation", "image"][_name].settings().values()
        REQUIRED[_name] = {p.name: TORCHVISIONS[p.name] for p in _parameters if p.default is p.empty}
"""What the ops are given here that cannot do without."""


def augmentation(name: str, **settings) -> Component:
    """The component that `name: {settings}` in an experiment file is."""
    settings = REQUIRED.get(name, {}) | settings
    adapter = TypeAdapter(Annotated[Component, OfKind("augmentation")])
    return adapter.validate_python({name: settings}, context={"folder": "", "modality": "image"})


def streams(epoch: int = 0, sample: int = 0):
    return engine_streams(0, epoch, sample)


def preprocessing(height: int = 224, width: int | None = None, **changes):
    values = {"mean": [0.5] * 3, "std": [0.25] * 3, "size": [height, width or height], "resize": height}
    return values | {"interpolation": "bilinear"} | changes


def ramp(height: int, width: int, slope: float = 2.0) -> np.ndarray:
    """Red tells x and green tells y at the center of each pixel: a result tells where it comes from."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return np.stack([slope * x, slope * y, np.full_like(x, 77)], axis=-1).clip(0, 255).astype(np.uint8)


def texture(height: int, width: int, seed: int = 0, *, finest: int = 4) -> np.ndarray:
    """Random color clouds, as coarse as the picture and as fine as `finest` pixels."""
    rng = np.random.default_rng(seed)
    clouds = np.full((height, width, 3), 128, np.float32)
    coarse = finest
    while coarse < max(height, width, 2 * finest):
        noise = rng.normal(size=(height // coarse + 2, width // coarse + 2, 3)).astype(np.float32)
        clouds += (
            15 * np.sqrt(coarse / finest) ** 0.5 * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        )
        coarse *= 2
    return clouds.clip(0, 255).astype(np.uint8)


def jpeg(pixels: np.ndarray, quality: int = 90, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def augmented(pixels: np.ndarray, *ops: Component, epoch: int = 0, **changes) -> np.ndarray:
    """The picture after some augmentations; it keeps its size unless an op changes it."""
    pipeline = samples.pipeline(ops, preprocessing(*pixels.shape[:2], resize=None) | changes)
    return pipeline(pixels, streams(epoch))


def torchvision_name(operation):
    """The name of an operation of a policy in torchvision, such as `ShearX`."""
    names = {"autocontrast": "AutoContrast"}
    return names.get(operation) or "".join(word.capitalize() for word in operation.split("_"))
