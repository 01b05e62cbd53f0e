"""Wrap the image-to-image transforms of torchvision.transforms.v2 as `torchvision.<Name>`.

Names and settings are listed in a table, so that an experiment is validated without importing torchvision.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ftaug.config.registry import FrozenDict
from ftaug.config.types import Count, CountOrZero, NonNegative, Positive, Probability, Wording
from ftaug.errors import BadData, ExperimentError, is_lack_of_memory
from ftaug.image import augmentation
from ftaug.image.augmentations.transforms import Canvas, PixelFunction

REQUIRED = inspect.Parameter.empty
Setting = tuple[Any, Any]
"""A type and a default."""

Pair = tuple[float, float]
Spread = NonNegative | tuple[NonNegative, NonNegative] | None
Size = Count | tuple[Count, Count]
Fill = NonNegative | tuple[NonNegative, NonNegative, NonNegative] | None
Padding = CountOrZero | tuple[CountOrZero, CountOrZero] | tuple[CountOrZero, CountOrZero, CountOrZero, CountOrZero]
Hue = Annotated[float, Field(ge=0, le=0.5), Wording("a share from 0 to 0.5")]
Quality = Annotated[int, Field(ge=1, le=100), Wording("a whole number from 1 to 100")]
Bits = Annotated[int, Field(ge=0, le=8), Wording("a whole number from 0 to 8")]


def _odd(number: int) -> int:
    if number % 2 == 0:
        raise PydanticCustomError("odd", "must be odd")
    return number


Odd = Annotated[int, Field(ge=1), AfterValidator(_odd), Wording("an odd whole number of 1 or more")]

NEAREST: Setting = (Literal["nearest", "nearest-exact", "bilinear", "bicubic"], "nearest")
BILINEAR: Setting = (NEAREST[0], "bilinear")
BLACK: Setting = (Fill, 0.0)
UNFILLED: Setting = (Fill, None)
HALF: Setting = (Probability, 0.5)
MODE: Setting = (Literal["constant", "edge", "reflect", "symmetric"], "constant")
ANTIALIAS: Setting = (bool, True)
AREA: Setting = (tuple[Positive, Positive], (0.08, 1.0))

TRANSFORMS: dict[str, dict[str, Setting]] = {
    "AugMix": {
        "severity": (Annotated[int, Field(ge=1, le=10), Wording("a whole number from 1 to 10")], 3),
        "mixture_width": (Count, 3),
        "chain_depth": (int, -1),
        "alpha": (Positive, 1.0),
        "all_ops": (bool, True),
        "interpolation": BILINEAR,
        "fill": UNFILLED,
    },
    "AutoAugment": {
        "policy": (Literal["imagenet", "cifar10", "svhn"], "imagenet"),
        "interpolation": NEAREST,
        "fill": UNFILLED,
    },
    "CenterCrop": {"size": (Size, REQUIRED)},
    "ColorJitter": {
        "brightness": (Spread, None),
        "contrast": (Spread, None),
        "saturation": (Spread, None),
        "hue": (Hue | Pair | None, None),
    },
    "ElasticTransform": {
        "alpha": (NonNegative | Pair, 50.0),
        "sigma": (Positive | tuple[Positive, Positive], 5.0),
        "interpolation": BILINEAR,
        "fill": BLACK,
    },
    "GaussianBlur": {
        "kernel_size": (Odd | tuple[Odd, Odd], REQUIRED),
        "sigma": (Positive | tuple[Positive, Positive], (0.1, 2.0)),
    },
    "GaussianNoise": {"mean": (float, 0.0), "sigma": (NonNegative, 0.1), "clip": (bool, True)},
    "Grayscale": {"num_output_channels": (Literal[1, 3], 1)},
    "Identity": {},
    "JPEG": {"quality": (Quality | tuple[Quality, Quality], REQUIRED)},
    "Pad": {"padding": (Padding, REQUIRED), "fill": BLACK, "padding_mode": MODE},
    "RGB": {},
    "RandAugment": {
        "num_ops": (Count, 2),
        "magnitude": (CountOrZero, 9),
        "num_magnitude_bins": (Count, 31),
        "interpolation": NEAREST,
        "fill": UNFILLED,
    },
    "RandomAdjustSharpness": {"sharpness_factor": (NonNegative, REQUIRED), "p": HALF},
    "RandomAffine": {
        "degrees": (NonNegative | Pair, REQUIRED),
        "translate": (tuple[Probability, Probability] | None, None),
        "scale": (tuple[Positive, Positive] | None, None),
        "shear": (NonNegative | Pair | tuple[float, float, float, float] | None, None),
        "interpolation": NEAREST,
        "fill": BLACK,
        "center": (Pair | None, None),
    },
    "RandomAutocontrast": {"p": HALF},
    "RandomChannelPermutation": {},
    "RandomCrop": {
        "size": (Size, REQUIRED),
        "padding": (Padding | None, None),
        "pad_if_needed": (bool, False),
        "fill": BLACK,
        "padding_mode": MODE,
    },
    "RandomEqualize": {"p": HALF},
    "RandomErasing": {
        "p": HALF,
        "scale": (tuple[Positive, Positive], (0.02, 0.33)),
        "ratio": (tuple[Positive, Positive], (0.3, 3.3)),
        "value": (NonNegative | tuple[NonNegative, NonNegative, NonNegative] | Literal["random"], 0.0),
    },
    "RandomGrayscale": {"p": (Probability, 0.1)},
    "RandomHorizontalFlip": {"p": HALF},
    "RandomInvert": {"p": HALF},
    "RandomPerspective": {
        "distortion_scale": (Probability, 0.5),
        "p": HALF,
        "interpolation": BILINEAR,
        "fill": BLACK,
    },
    "RandomPhotometricDistort": {
        "brightness": (tuple[NonNegative, NonNegative], (0.875, 1.125)),
        "contrast": (tuple[NonNegative, NonNegative], (0.5, 1.5)),
        "saturation": (tuple[NonNegative, NonNegative], (0.5, 1.5)),
        "hue": (Pair, (-0.05, 0.05)),
        "p": HALF,
    },
    "RandomPosterize": {"bits": (Bits, REQUIRED), "p": HALF},
    "RandomResize": {
        "min_size": (Count, REQUIRED),
        "max_size": (Count, REQUIRED),
        "interpolation": BILINEAR,
        "antialias": ANTIALIAS,
    },
    "RandomResizedCrop": {
        "size": (Size, REQUIRED),
        "scale": AREA,
        "ratio": (tuple[Positive, Positive], (3 / 4, 4 / 3)),
        "interpolation": BILINEAR,
        "antialias": ANTIALIAS,
    },
    "RandomRotation": {
        "degrees": (NonNegative | Pair, REQUIRED),
        "interpolation": NEAREST,
        "expand": (bool, False),
        "center": (Pair | None, None),
        "fill": BLACK,
    },
    "RandomShortestSize": {
        "min_size": (Count | tuple[Count, ...], REQUIRED),
        "max_size": (Count | None, None),
        "interpolation": BILINEAR,
        "antialias": ANTIALIAS,
    },
    "RandomSolarize": {"threshold": (NonNegative, REQUIRED), "p": HALF},
    "RandomVerticalFlip": {"p": HALF},
    "RandomZoomOut": {"fill": BLACK, "side_range": (tuple[Positive, Positive], (1.0, 4.0)), "p": HALF},
    "Resize": {
        "size": (Size | None, REQUIRED),
        "interpolation": BILINEAR,
        "max_size": (Count | None, None),
        "antialias": ANTIALIAS,
    },
    "ScaleJitter": {
        "target_size": (tuple[Count, Count], REQUIRED),
        "scale_range": (tuple[Positive, Positive], (0.1, 2.0)),
        "interpolation": BILINEAR,
        "antialias": ANTIALIAS,
    },
    "TrivialAugmentWide": {"num_magnitude_bins": (Count, 31), "interpolation": NEAREST, "fill": UNFILLED},
}
LEFT_OUT = {
    "boxes, key points and masks": (
        *("ClampBoundingBoxes", "ClampKeyPoints", "ConvertBoundingBoxFormat", "RandomIoUCrop", "SanitizeBoundingBoxes"),
        *("SanitizeKeyPoints", "SetClampingMode"),
    ),
    "types and layouts, which ftaug converts by itself": (
        *("ConvertImageDtype", "LinearTransformation", "Normalize", "PILToTensor", "ToDtype", "ToImage", "ToPILImage"),
        *("ToPureTensor", "ToTensor"),
    ),
    "several pictures out of one, or one out of several: see `mix` and `evaluate`": (
        "CutMix",
        "FiveCrop",
        "MixUp",
        "TenCrop",
    ),
    "made of others: see one_of, some_of, apply and shuffle": (
        *("Compose", "RandomApply", "RandomChoice", "RandomOrder", "Transform", "Lambda"),
    ),
    "videos": ("UniformTemporalSubsample",),
    "several pictures at once": ("SimpleCopyPaste",),
}
"""The classes of torchvision that are not wrapped, by reason."""

RESIZE = {"CenterCrop", "Pad", "RandomCrop", "RandomResize", "RandomResizedCrop", "RandomRotation"}
RESIZE |= {"RandomShortestSize", "RandomZoomOut", "Resize", "ScaleJitter"}
"""Transforms that may change the size."""

OF_FLOATS = {"GaussianNoise"}
"""Transforms that require float input in 0…1."""

MIRRORS = {"RandomHorizontalFlip": "horizontally", "RandomVerticalFlip": "vertically"}


def _turns(settings: Mapping[str, Any]) -> float:
    """Return the largest angle of a `degrees` setting: a number, or a range."""
    degrees = settings["degrees"]
    return max(map(abs, degrees)) if isinstance(degrees, tuple) else float(degrees)


TURNS: dict[str, float | Callable[[Mapping[str, Any]], float]] = {
    **{"RandomAffine": _turns, "RandomRotation": _turns},
    **{"AugMix": 30.0, "AutoAugment": 30.0, "RandAugment": 30.0, "TrivialAugmentWide": 135.0},
}


def _register(name: str, settings: Mapping[str, Setting]) -> None:
    """Register a transform as a function whose signature is its row of the table."""

    def transform(canvas: Canvas, rng: np.random.Generator, **values: Any) -> PixelFunction:
        frozen, seed = FrozenDict(values), int(rng.integers(2**63))
        size = _size_after(name, frozen, seed, canvas) if name in RESIZE else None
        is_fixed = name in ("CenterCrop", "RandomCrop", "RandomResizedCrop") or isinstance(values.get("size"), tuple)
        return PixelFunction(partial(_transformed, name, frozen, seed), size, fixes_size=is_fixed).with_params(
            seed=seed
        )

    positional = [inspect.Parameter(word, inspect.Parameter.POSITIONAL_OR_KEYWORD) for word in augmentation.given]
    keyword_only = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for key, (annotation, default) in settings.items()
    ]
    transform.__name__ = transform.__qualname__ = f"torchvision.{name}"
    transform.__signature__ = inspect.Signature([*positional, *keyword_only])  # type: ignore[attr-defined]
    lines = "".join(f"    {key}: as in torchvision\n" for key in settings)
    transform.__doc__ = f"Apply torchvision's {name}.\n\n" + (f"Settings:\n{lines}" if lines else "")
    chance = {"chance": "p"} if "p" in settings else {}
    augmentation.register(mirrors=MIRRORS.get(name), turns=TURNS.get(name), **chance)(transform)


for _name, _settings in TRANSFORMS.items():
    _register(_name, _settings)


@cache
def _built(name: str, settings: FrozenDict) -> Any:
    """Instantiate the transform; raises ExperimentError where torchvision rejects the settings."""
    from torchvision.transforms import v2

    enums = {"interpolation": v2.InterpolationMode, "policy": v2.AutoAugmentPolicy}
    values = {key: enums[key](value) if key in enums else _plain(value) for key, value in settings.items()}
    try:
        return getattr(v2, name)(**values)
    except AttributeError:
        raise ExperimentError(f"torchvision.{name}: this version of torchvision does not have it") from None
    except (TypeError, ValueError) as error:
        raise ExperimentError(f"torchvision.{name}: {error}") from None


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _seeded(name: str, settings: FrozenDict, seed: int, picture: Any) -> Any:
    """Call the transform on a tensor (3, H, W) with torch's global generator seeded, then restore its state.

    Raises BadData for an image that the transform rejects.
    """
    import torch

    transform, state = _built(name, settings), torch.default_generator.get_state()
    try:
        torch.default_generator.manual_seed(seed)
        return transform(picture)
    except (RuntimeError, ValueError) as error:
        if is_lack_of_memory(error):
            raise
        size = f"{picture.shape[2]}×{picture.shape[1]}"
        raise BadData(f"torchvision.{name} cannot take a picture of {size} pixels: {error}") from None
    finally:
        torch.default_generator.set_state(state)


def _transformed(name: str, settings: FrozenDict, seed: int, pixels: np.ndarray) -> np.ndarray:
    import torch

    picture = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    if name in OF_FLOATS:
        result = (_seeded(name, settings, seed, picture / 255) * 255).round().clamp(0, 255).to(torch.uint8)
    else:
        result = _seeded(name, settings, seed, picture)
    return np.ascontiguousarray(result.expand(3, -1, -1).permute(1, 2, 0).numpy())


def _size_after(name: str, settings: FrozenDict, seed: int, canvas: Canvas) -> tuple[int, int]:
    """Return the output size, computed on a meta tensor."""
    import torch

    result = _seeded(name, settings, seed, torch.empty((3, canvas.height, canvas.width), device="meta"))
    return int(result.shape[1]), int(result.shape[2])
