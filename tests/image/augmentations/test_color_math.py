"""Matrices of colors: fused they are the colors one after another, where none clips."""

import numpy as np
from pictures import texture

from ftaug.image.augmentations import color_math
from ftaug.image.augmentations.pipeline import apply, joined
from ftaug.image.io.decode import opened


def shown(pixels, *draws):
    return apply(draws, opened(pixels), "bilinear").astype(int)


def test_fused_colors_are_the_colors_one_after_another():
    """Those that clip nothing, rounded once."""
    pixels = texture(40, 50)
    draws = [
        color_math.contrasted(0.8),
        color_math.brightened(0.9),
        color_math.saturated(0.7),
        color_math.contrasted(0.9),
    ]
    stepwise = pixels
    for draw in draws:
        stepwise = shown(stepwise, draw).astype(np.uint8)
    assert np.abs(shown(pixels, *draws) - stepwise).max() <= 2
    exact = pixels.reshape(-1, 3).astype(float)
    for draw in draws:
        mean = exact.mean(axis=0)
        exact = exact @ draw.matrix[:3, :3].T + draw.matrix[:3, 3:6] @ mean + draw.matrix[:3, 6]
    assert np.abs(shown(pixels, *draws) - exact.reshape(pixels.shape)).max() <= 0.75


def test_colors_that_clip_nothing_are_one():
    darker, softer = color_math.brightened(0.7), color_math.contrasted(0.6)
    assert darker.stays_in_range and softer.stays_in_range and color_math.inverted().stays_in_range
    assert not any(
        clips.stays_in_range
        for clips in (color_math.brightened(1.1), color_math.contrasted(1.1), color_math.hue_turned(0.1))
    )
    assert joined(darker, softer).matrix.tolist() == (softer.matrix @ darker.matrix).tolist()
    assert joined(color_math.brightened(1.1), softer) is None
