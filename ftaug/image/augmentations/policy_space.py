"""Search spaces of augmentation policies: the operations, and their strength at a level from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ftaug.image.augmentations import affine, color_math
from ftaug.image.augmentations.transforms import Border, Canvas, Draw, PixelFunction, filtered


@dataclass(frozen=True)
class Space:
    """Strength of each operation at level 1."""

    shear: float  # a slope
    translate: float  # a share of the width or height
    rotate: float  # degrees
    tone: float  # a factor is 1 ± this
    bits: tuple[int, int]  # at levels 0 and 1
    whole: Callable[[float], int] = round  # to a number of bits


AUTO = Space(shear=0.3, translate=150 / 331, rotate=30, tone=0.9, bits=(8, 4))
"""Search space of AutoAugment and RandAugment."""

WIDE = Space(shear=0.99, translate=1 / 7, rotate=135, tone=0.99, bits=(8, 2))
"""TrivialAugment's wide space; its shift of 32 pixels is a seventh of 224."""

AUGMIX = Space(shear=0.3, translate=1 / 3, rotate=30, tone=0.9, bits=(4, 0), whole=math.ceil)
"""AugMix's space; its authors round down the number of removed bits, so the number that remains is rounded up."""


def _posterized(space: Space, level: float, canvas: Canvas, border: Border) -> Draw:
    weakest, strongest = space.bits
    return color_math.posterized(space.whole(weakest + abs(level) * (strongest - weakest)))


def _sharpened(space: Space, level: float, canvas: Canvas, border: Border) -> Draw:
    factor = 1 + level * space.tone
    return PixelFunction(partial(filtered, "sharpened", factor)).with_params(factor=factor)


Operation = Callable[[Space, float, Canvas, Border], Draw | None]
"""Transform for a level in -1…1; the sign is the direction, where the operation has one."""

OPERATIONS: dict[str, Operation] = {
    "identity": lambda space, level, canvas, border: None,
    "shear_x": lambda space, level, canvas, border: affine.slanted_about_corner(
        canvas, -level * space.shear, 0, border
    ),
    "shear_y": lambda space, level, canvas, border: affine.slanted_about_corner(
        canvas, 0, -level * space.shear, border
    ),
    "translate_x": lambda space, level, canvas, border: affine.shifted(canvas, level * space.translate, 0, border),
    "translate_y": lambda space, level, canvas, border: affine.shifted(canvas, 0, level * space.translate, border),
    "rotate": lambda space, level, canvas, border: affine.turned(canvas, level * space.rotate, border),
    "brightness": lambda space, level, canvas, border: color_math.brightened(1 + level * space.tone),
    "color": lambda space, level, canvas, border: color_math.saturated(1 + level * space.tone),
    "contrast": lambda space, level, canvas, border: color_math.contrasted(1 + level * space.tone),
    "sharpness": _sharpened,
    "posterize": _posterized,
    "solarize": lambda space, level, canvas, border: color_math.solarized(1 - abs(level)),
    "autocontrast": lambda space, level, canvas, border: color_math.autocontrasted(),
    "equalize": lambda space, level, canvas, border: color_math.equalized(),
    "invert": lambda space, level, canvas, border: color_math.inverted(),
}
CHOSEN = tuple(name for name in OPERATIONS if name != "invert")
"""The 14 operations of TrivialAugment and RandAugment."""

UNLIKE_CORRUPTIONS = tuple(
    name for name in CHOSEN if name not in ("identity", "brightness", "color", "contrast", "sharpness")
)
"""AugMix's nine operations, none of which is a corruption of ImageNet-C."""
