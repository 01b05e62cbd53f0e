"""Augmentation policies (TrivialAugment, RandAugment, AutoAugment, AugMix, 3-Augment), SimCLR and MoCo views."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from ftaug.augment.random_streams import branches
from ftaug.augment.transform import between, happens, namespaced
from ftaug.config.types import Count, NonNegative, Positive, Probability, Wording
from ftaug.image import augmentation
from ftaug.image.augmentations import color, color_math, crops, geometry
from ftaug.image.augmentations.autoaugment_policies import subpolicies
from ftaug.image.augmentations.labels import NO_SWAPS, Classes, LabelMap, NeverMirrored
from ftaug.image.augmentations.policy_space import AUGMIX, AUTO, CHOSEN, OPERATIONS, UNLIKE_CORRUPTIONS, WIDE, Space
from ftaug.image.augmentations.transforms import (
    Border,
    Canvas,
    Draw,
    Drawn,
    Extent,
    OpProbability,
    OutputSize,
    PixelFunction,
    Share,
    WindowArea,
    filtered,
)

Magnitude = Annotated[float, Field(ge=0, le=30, allow_inf_nan=False), Wording("a magnitude from 0 to 30")]
Strengths = Annotated[int, Field(ge=2), Wording("a whole number of 2 or more")]
BLUR = (0.1 / 224, 2 / 224)
"""SimCLR's range of blur sigmas, as shares of the shorter side."""


@augmentation.register(
    composite=True,
    varies=True,
    turns=lambda settings: WIDE.rotate * settings["strength"],
    severity={"strength": (0.0, 1.0)},
)
def trivial_augment(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 1.0,
    strengths: Strengths = 31,
    probability: OpProbability = 1.0,
    border: Border = "constant",
    except_: Classes = (),
) -> Sequence[Draw] | None:
    """TrivialAugment: apply one of 14 operations with a random strength; nothing to tune.

    Settings:
        strength: the largest strength, as a share of the paper's; 0 does nothing. Autocontrast and equalize have none
            and are done whole at any other
        strengths: how many strengths there are, evenly from nothing to the largest

    TrivialAugment, Müller and Hutter 2021, in its wide space. Shifts reach a seventh of the picture: 32 of 224.
    """
    if strength == 0:
        return None
    name, level = CHOSEN[rng.integers(len(CHOSEN))], strength * int(rng.integers(strengths)) / (strengths - 1)
    sign = 1 if rng.random() < 0.5 else -1
    if not happens(rng, probability) or canvas.shows(except_):
        return None
    return _operation(WIDE, name, sign * level, canvas, border) or None


@augmentation.register(composite=True, varies=True, turns=AUTO.rotate, severity={"magnitude": (0.0, 30.0)})
def rand_augment(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    ops: Count = 2,
    magnitude: Magnitude = 9.0,
    deviation: NonNegative = 0.0,
    probability: OpProbability = 1.0,
    border: Border = "constant",
    except_: Classes = (),
) -> Sequence[Draw] | None:
    """RandAugment: apply a few of 14 operations, all with the same strength.

    Settings:
        ops: how many operations, one after another
        magnitude: the strength, from 0 for nothing to 30; autocontrast and equalize have none and are done whole at
            any but 0
        deviation: the standard deviation of the magnitude, drawn anew for every operation

    RandAugment, Cubuk et al. 2019. Every operation is stronger at a larger magnitude, as with `inc1` of timm.
    """
    if magnitude == 0 and deviation == 0:
        return None
    draws: list[Draw] = []
    for _ in range(ops):
        name, sign = CHOSEN[rng.integers(len(CHOSEN))], 1 if rng.random() < 0.5 else -1
        level = min(max(rng.normal(magnitude, deviation), 0), 30) / 30
        draws += _operation(AUTO, name, sign * level, canvas, border)
    fires = happens(rng, probability) and not canvas.shows(except_)
    return draws if fires and draws else None


@augmentation.register(composite=True, varies=True, turns=AUTO.rotate, severity={"probability": (0.0, 1.0)})
def auto_augment(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    policy: Literal["imagenet", "cifar10", "svhn"] = "imagenet",
    probability: OpProbability = 1.0,
    border: Border = "constant",
    except_: Classes = (),
) -> Sequence[Draw] | None:
    """AutoAugment: apply one of 25 pairs of operations, found by a search on a data set.

    Settings:
        policy: the data set that they were found on

    AutoAugment, Cubuk et al. 2018.
    """
    pairs = subpolicies(policy)
    draws: list[Draw] = []
    for step in pairs[rng.integers(len(pairs))]:
        sign = 1 if rng.random() < 0.5 else -1
        if happens(rng, step.probability):
            draws += _operation(AUTO, step.operation, sign * step.level, canvas, border)
    fires = happens(rng, probability) and not canvas.shows(except_)
    return draws if fires and draws else None


@augmentation.register(
    composite=True,
    varies=True,
    turns=lambda settings: AUGMIX.rotate * settings["strength"],
    severity={"strength": (0.0, 1.0)},
)
def augmix(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 0.3,
    width: Count = 3,
    depth: Count | None = None,
    alpha: Positive = 1.0,
    all_ops: bool = False,
    probability: OpProbability = 1.0,
    border: Border = "constant",
    except_: Classes = (),
) -> PixelFunction | None:
    """AugMix: blend the picture with several augmented versions of itself.

    Settings:
        strength: the largest strength of an operation; uniform up to it. 0 does nothing
        width: how many versions
        depth: how many operations each version goes through; 1, 2 or 3 at random unless set
        alpha: the shares of the versions are drawn from Dirichlet(alpha), that of the picture from Beta(alpha, alpha)
        all_ops: whether brightness, color, contrast and sharpness are among the operations

    AugMix, Hendrycks et al. 2019. The four further operations resemble the corruptions of ImageNet-C: leave them out
    where robustness to these is measured.
    """
    if strength == 0:
        return None
    names = CHOSEN[1:] if all_ops else UNLIKE_CORRUPTIONS
    shares, original_share = rng.dirichlet([alpha] * width), rng.beta(alpha, alpha)
    versions = []
    for _ in range(width):
        steps = depth or int(rng.integers(1, 4))
        chosen = zip(rng.integers(len(names), size=steps), rng.uniform(-strength, strength, steps), strict=True)
        versions.append([draw for i, level in chosen for draw in _operation(AUGMIX, names[i], level, canvas, border)])
    if not happens(rng, probability) or canvas.shows(except_):
        return None
    return PixelFunction(partial(_mixed, versions, shares, original_share)).with_params(kept=original_share)


@augmentation.register(composite=True, severity={"probability": (0.0, 1.0)})
def three_augment(
    canvas: Canvas, rng: np.random.Generator, *, probability: OpProbability = 1.0
) -> Sequence[Draw] | None:
    """3-Augment: grayscale, solarize or blur, one of the three at random.

    3-Augment, Touvron et al. 2022, who add a horizontal flip and a color jitter of 0.3.
    """
    chosen, deviation = int(rng.integers(3)), rng.uniform(*BLUR)
    if not happens(rng, probability):
        return None
    draws: dict[str, Draw] = {
        "grayscale": color_math.saturated(0),
        "solarize": color_math.solarized(0.5),
        "gaussian_blur": _blurred(canvas, deviation),
    }
    return namespaced(*list(draws.items())[chosen])


@augmentation.register(composite=True, mirrors="horizontally", chance="flip", severity={"strength": (0.0, 1.0)})
def simclr(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 1.0,
    size: OutputSize = None,
    scale: WindowArea = (0.08, 1.0),
    flip: Probability = 0.5,
    label_map: LabelMap = NO_SWAPS,
    except_: NeverMirrored = (),
) -> Sequence[Draw]:
    """SimCLR's augmentation: crop, flip, color jitter, grayscale and blur.

    Settings:
        strength: how strong the colors are jittered: 1 is a factor of 1 ± 0.8, and a turn of the hue of ± 0.2
        flip: the chance that the picture is mirrored

    Chen et al. 2020.
    """
    tone = 0.8 * strength
    streams = branches(rng)
    view = _view(canvas, streams("view"), size, scale, flip, label_map, except_)
    jitter = {"brightness": tone, "contrast": tone, "saturation": tone, "hue": 0.2 * strength}
    return [*view, *_colors(canvas.extent(size), canvas, streams("colors"), jitter)]


@augmentation.register(composite=True, mirrors="horizontally", chance="flip", severity={"strength": (0.0, 1.0)})
def moco(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 1.0,
    size: OutputSize = None,
    scale: WindowArea = (0.2, 1.0),
    flip: Probability = 0.5,
    label_map: LabelMap = NO_SWAPS,
    except_: NeverMirrored = (),
) -> Sequence[Draw]:
    """MoCo v2's augmentation: crop, flip, color jitter, grayscale and blur, weaker than SimCLR's.

    Settings:
        strength: how strong the colors are jittered: 1 is a factor of 1 ± 0.4, and a turn of the hue of ± 0.1
        flip: the chance that the picture is mirrored

    Chen, Fan, Girshick and He 2020.
    """
    tone = 0.4 * strength
    streams = branches(rng)
    view = _view(canvas, streams("view"), size, scale, flip, label_map, except_)
    jitter = {"brightness": tone, "contrast": tone, "saturation": tone, "hue": 0.1 * strength}
    return [*view, *_colors(canvas.extent(size), canvas, streams("colors"), jitter)]


def _operation(space: Space, name: str, level: float, canvas: Canvas, border: Border) -> list[Draw]:
    """Return an operation's transform at a level, if it has one, its parameters prefixed with the operation's name."""
    return namespaced(name, OPERATIONS[name](space, level, canvas, border))


def _mixed(versions: Sequence[Sequence[Draw]], shares: np.ndarray, original: float, pixels: np.ndarray) -> np.ndarray:
    """Blend the image (with weight `original`) with its augmented versions."""
    from ftaug.image.augmentations.pipeline import apply
    from ftaug.image.io.decode import opened

    mixed = original * pixels.astype(np.float32)
    for draws, share in zip(versions, shares.tolist(), strict=True):
        mixed += (1 - original) * share * apply(draws, opened(pixels), "bilinear")
    return np.asarray(np.rint(mixed).astype(np.uint8))


def _view(
    canvas: Canvas,
    rng: np.random.Generator,
    size: Extent,
    scale: tuple[float, float],
    flip: float,
    label_map: LabelMap,
    except_: Classes,
) -> list[Draw]:
    """Draw a random resized crop and a horizontal flip."""
    crop = crops.random_resized_crop(canvas, rng, size=size, scale=scale)
    cropped = canvas.resized(crop.height, crop.width)
    mirror = geometry.horizontal_flip(cropped, rng, probability=flip, label_map=label_map, except_=except_)
    return [*namespaced("random_resized_crop", crop), *namespaced("horizontal_flip", mirror)]


def _colors(extent: tuple[int, int], canvas: Canvas, rng: np.random.Generator, jitter: dict[str, float]) -> list[Draw]:
    """Draw SimCLR's color distortion: color jitter, grayscale and blur."""
    seen = canvas.resized(*extent)
    jittered = color.color_jitter(seen, rng, **jitter, probability=0.8)
    gray = color.grayscale(seen, rng, probability=0.2)
    deviation = between(rng, *BLUR)
    blur = _blurred(seen, deviation) if happens(rng, 0.5) else None
    drawn: dict[str, Drawn] = {"color_jitter": jittered, "grayscale": gray, "gaussian_blur": blur}
    return [draw for name, draws in drawn.items() for draw in namespaced(name, draws)]


def _blurred(canvas: Canvas, deviation: float) -> PixelFunction:
    """Blur with a Gaussian whose sigma is a share of the shorter side."""
    return PixelFunction(partial(filtered, "blurred", deviation * min(canvas.height, canvas.width))).with_params(
        sigma=deviation
    )
