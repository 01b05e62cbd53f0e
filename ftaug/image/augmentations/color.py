"""Color augmentations, drawn as color matrices or lookup tables, so that any number of them fuse into one step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import permutations
from typing import Annotated

import numpy as np
from pydantic import Field

from ftaug.augment.transform import between, happens
from ftaug.config.types import Wording
from ftaug.image import augmentation
from ftaug.image.augmentations import color_math
from ftaug.image.augmentations.transforms import (
    Canvas,
    ColorMatrix,
    LookupTable,
    OpProbability,
    PixelFunction,
    Range,
    Share,
    Strength,
    Turns,
    filtered,
)

Bits = Annotated[int, Field(ge=1, le=8), Wording("a whole number from 1 to 8")]
Tiles = Annotated[int, Field(ge=1, le=64), Wording("a whole number from 1 to 64")]
Limit = Annotated[float, Field(ge=1, allow_inf_nan=False), Wording("a number of 1 or more")]


@augmentation.register(severity={"strength": (0.0, 1.0)})
def brightness(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Strength = 0.4,
    probability: OpProbability = 1.0,
) -> ColorMatrix | None:
    """Make the picture darker or brighter by a random factor."""
    factor = between(rng, 1 - strength, 1 + strength)
    return color_math.brightened(factor) if happens(rng, probability) else None


@augmentation.register(severity={"strength": (0.0, 1.0)})
def contrast(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Strength = 0.4,
    probability: OpProbability = 1.0,
) -> ColorMatrix | None:
    """Change the contrast: scale the distance of every value from the picture's mean gray by a random factor."""
    factor = between(rng, 1 - strength, 1 + strength)
    return color_math.contrasted(factor) if happens(rng, probability) else None


@augmentation.register(severity={"strength": (0.0, 1.0)})
def saturation(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Strength = 0.4,
    probability: OpProbability = 1.0,
) -> ColorMatrix | None:
    """Change the saturation: scale the distance of every pixel from its own gray by a random factor."""
    factor = between(rng, 1 - strength, 1 + strength)
    return color_math.saturated(factor) if happens(rng, probability) else None


@augmentation.register(severity={"strength": (0.0, 0.5)})
def hue(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Turns = 0.1,
    probability: OpProbability = 1.0,
) -> ColorMatrix | None:
    """Shift the hue: rotate all colors around the color circle by a random angle; grays stay.

    Settings:
        strength: the largest turn either way, as a share of the circle; uniform up to it

    A rotation of RGB about its gray axis, which is a matrix. At thirds of the circle it equals torchvision's in HSV;
    between them a value differs from that by at most 85, less the grayer the color is.
    """
    turn = between(rng, -strength, strength)
    return color_math.hue_turned(turn) if happens(rng, probability) else None


@augmentation.register(
    severity={"brightness": (0.0, 1.0), "contrast": (0.0, 1.0), "saturation": (0.0, 1.0), "hue": (0.0, 0.5)},
    standard=True,
)
def color_jitter(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    brightness: Share = 0.4,
    contrast: Share = 0.4,
    saturation: Share = 0.4,
    hue: Turns = 0.1,
    probability: OpProbability = 1.0,
) -> Sequence[ColorMatrix] | None:
    """Change brightness, contrast, saturation and hue by random amounts, in random order.

    Settings:
        brightness: the factor is uniform in 1 ± brightness
        contrast: the factor is uniform in 1 ± contrast
        saturation: the factor is uniform in 1 ± saturation
        hue: the largest turn either way, as a share of the circle; uniform up to it

    `colour_jitter` is the same.
    """
    amounts = {
        "brightness": between(rng, 1 - brightness, 1 + brightness),
        "contrast": between(rng, 1 - contrast, 1 + contrast),
        "saturation": between(rng, 1 - saturation, 1 + saturation),
        "hue": between(rng, -hue, hue),
    }
    names = list(amounts)
    order = rng.permutation(len(names)).tolist()
    if not happens(rng, probability):
        return None
    return [JITTERS[name](amounts[name]).with_params(**{name: amounts[name]}) for name in (names[i] for i in order)]


JITTERS = {
    "brightness": color_math.FROM_BLACK,
    "contrast": color_math.FROM_MEAN_GRAY,
    "saturation": color_math.FROM_OWN_GRAY,
    "hue": color_math.hue_turned,
}


@augmentation.register(severity={"probability": (0.0, 1.0)})
def grayscale(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    probability: OpProbability = 0.1,
) -> ColorMatrix | None:
    """Convert the picture to grayscale."""
    return color_math.saturated(0.0) if happens(rng, probability) else None


@augmentation.register(severity={"probability": (0.0, 1.0)})
def invert(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    probability: OpProbability = 0.1,
) -> ColorMatrix | None:
    """Invert the picture: its negative."""
    return color_math.inverted() if happens(rng, probability) else None


OTHER_ORDERS = tuple(permutations(range(3)))[1:]


@augmentation.register(severity={"probability": (0.0, 1.0)})
def channel_shuffle(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    probability: OpProbability = 0.5,
) -> ColorMatrix | None:
    """Shuffle the color channels; each of the five other orders is equally likely."""
    order = np.array(OTHER_ORDERS[rng.integers(len(OTHER_ORDERS))])
    return color_math.channels_in_order(order) if happens(rng, probability) else None


@augmentation.register(severity={"strength": (0.0, 0.5)})
def rgb_shift(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 0.1,
    probability: OpProbability = 1.0,
) -> ColorMatrix | None:
    """Shift each channel by a random amount, lighter or darker.

    Settings:
        strength: the largest amount either way, as a share of white; uniform up to it
    """
    shares = rng.uniform(-strength, strength, 3)
    return color_math.channels_shifted(shares) if happens(rng, probability) else None


@augmentation.register(severity={"strength": (0.0, 1.0)})
def temperature(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 0.3,
    probability: OpProbability = 1.0,
) -> ColorMatrix | None:
    """Change the color temperature: warmer or colder light, as another white balance.

    Settings:
        strength: uniform up to it either way; 1 makes red twice as strong beside blue, or half
    """
    amount = between(rng, -strength, strength)
    return color_math.warmed(amount) if happens(rng, probability) else None


@augmentation.register(severity={"gamma": ((1.0, 1.0), (0.3, 3.3))})
def gamma(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    gamma: Range = (0.7, 1.4),
    probability: OpProbability = 1.0,
) -> LookupTable | None:
    """Apply gamma correction with a random exponent; black and white stay.

    Settings:
        gamma: the smallest and the largest power; log-uniform between them
    """
    power = math.exp(between(rng, math.log(gamma[0]), math.log(gamma[1])))
    return color_math.gamma_corrected(power) if happens(rng, probability) else None


@augmentation.register(severity={"threshold": (1.0, 0.0)})
def solarize(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    threshold: Share = 0.5,
    probability: OpProbability = 0.5,
) -> LookupTable | None:
    """Invert all values above a threshold.

    Settings:
        threshold: the share of the range of values from which on they are inverted
    """
    return color_math.solarized(threshold) if happens(rng, probability) else None


@augmentation.register(severity={"bits": (8, 2)})
def posterize(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    bits: Bits = 4,
    probability: OpProbability = 0.5,
) -> LookupTable | None:
    """Reduce the number of bits of every channel.

    Settings:
        bits: how many bits are kept; 4 bits are 16 levels
    """
    return color_math.posterized(bits) if happens(rng, probability) else None


@augmentation.register(severity={"probability": (0.0, 1.0)})
def autocontrast(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    probability: OpProbability = 0.5,
) -> LookupTable | None:
    """Stretch every channel over the whole range of values."""
    return color_math.autocontrasted() if happens(rng, probability) else None


@augmentation.register(severity={"probability": (0.0, 1.0)})
def equalize(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    probability: OpProbability = 0.5,
) -> LookupTable | None:
    """Equalize the histogram of every channel, so that all values are about equally frequent."""
    return color_math.equalized() if happens(rng, probability) else None


@augmentation.register(severity={"strength": (0.0, 1.0)})
def clahe(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 0.5,
    limit: Limit = 4.0,
    tiles: Tiles = 4,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Apply CLAHE: equalize the lightness of every tile of the picture, with limited contrast.

    Settings:
        strength: how much of the result is mixed into the picture at most; uniform up to it
        limit: the clip limit: how much the contrast of a tile is raised at most
        tiles: how many tiles across and down

    Contrast-limited adaptive histogram equalization, on L of CIE Lab.
    """
    share = between(rng, 0, strength)
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "equalized_locally", share, limit, tiles)).with_params(share=share)
