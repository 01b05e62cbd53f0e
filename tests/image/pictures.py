"""Pictures and augmentations for the tests."""

import io
from typing import Annotated

import cv2
import numpy as np
from PIL import Image
from pydantic import TypeAdapter

from ftaug.config.registry import REGISTRIES, Component
from ftaug.config.schema import OfKind
from ftaug.engine.seeds import streams as engine_streams
from ftaug.image import samples

AUGMENTATIONS = list(REGISTRIES["augmentation", "image"])


def augmentation(name: str, **settings) -> Component:
    """The component that `name: {settings}` in an experiment file is."""
    adapter = TypeAdapter(Annotated[Component, OfKind("augmentation")])
    return adapter.validate_python({name: settings}, context={"folder": "", "modality": "image"})


def streams(epoch: int = 0, sample: int = 0):
    return engine_streams(0, epoch, sample)


def preprocessing(height: int = 224, width: int | None = None, **changes):
    values = {"mean": [0.5] * 3, "std": [0.25] * 3, "size": [height, width or height], "resize": height}
    return values | {"interpolation": "bilinear"} | changes


def ramp(height: int, width: int, slope: float = 2.0) -> np.ndarray:
    """Red tells x and green tells y at the centre of each pixel: a result tells where it comes from."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    return np.stack([slope * x, slope * y, np.full_like(x, 77)], axis=-1).clip(0, 255).astype(np.uint8)


def texture(height: int, width: int, seed: int = 0, *, finest: int = 4) -> np.ndarray:
    """Random colour clouds, as coarse as the picture and as fine as `finest` pixels."""
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
    return samples.prepare(pixels, pipeline, streams(epoch))
