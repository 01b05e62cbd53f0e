"""The weather of the common corruptions of Hendrycks and Dietterich (2019): snow, frost, fog and spatter.

Signatures are those of `ftaug.image.render.corruptions`. The published frost is cut from six photographs; this one is
computed.
"""

from __future__ import annotations

import cv2
import numpy as np

from ftaug.image.render.corruptions import Constants, blurred_along, smoothed, zoomed

WATER = np.array([175, 238, 238]) / 255
MUD = np.array([63, 42, 20]) / 255
ICE = np.array([0.86, 0.94, 1.0])


def snow(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Whiten the image and let flakes fall: thresholded noise, enlarged and blurred along a steep line."""
    mean, deviation, size, threshold, radius, spread, share = constants
    flakes = zoomed(rng.normal(mean, deviation, x.shape[:2]), size)
    flakes = np.floor(np.where(flakes < threshold, 0, flakes).clip(0, 1) * 255) / 255
    flakes = np.rint(blurred_along(flakes, radius, spread, rng.uniform(-135, -45)) * 255)[..., None] / 255
    gray = (x @ [0.299, 0.587, 0.114])[..., None]
    whitened = share * x + (1 - share) * np.maximum(x, gray * 1.5 + 0.5)
    return np.asarray(whitened + flakes + np.rot90(flakes, 2))


def fog(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Add clouds of a thickness, and scale to the former maximum."""
    thickness, decay = constants
    height, width = x.shape[:2]
    highest = x.max()
    foggy = x + thickness * clouds(rng, max(height, width), decay)[:height, :width, None]
    return np.asarray(foggy * highest / (highest + thickness))


def frost(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Blend with crystals of ice: ridges of clouds, light blue."""
    share, ice = constants
    height, width = x.shape[:2]
    ridges, veil = (clouds(rng, max(height, width), decay)[:height, :width, None] for decay in (1.7, 3.0))
    crystals = 0.35 + 0.65 * (1 - np.abs(2 * ridges - 1)) ** 2
    return np.asarray(share * x + ice * crystals * (0.5 + 0.5 * veil) * ICE)


def clouds(rng: np.random.Generator, length: int, decay: float) -> np.ndarray:
    """Draw a plasma fractal from 0 to 1 by the diamond-square algorithm, wrapping around: float64 (side, side).

    The side is the next power of two. The random amount of a level is 1 / decay² of that of the level before.
    """
    side = 1 << max(1, (length - 1).bit_length())
    heights = np.zeros((side, side))
    step, amount = side, 1.0
    while step >= 2:
        half = step // 2
        corners = heights[::step, ::step]
        count = corners.shape
        centers = _with_right(_with_below(corners)) / 4 + amount * rng.uniform(-1, 1, count)
        heights[half::step, half::step] = centers
        above = np.roll(centers, 1, axis=0) + centers
        heights[::step, half::step] = (above + _with_right(corners)) / 4 + amount * rng.uniform(-1, 1, count)
        beside = np.roll(centers, 1, axis=1) + centers
        heights[half::step, ::step] = (beside + _with_below(corners)) / 4 + amount * rng.uniform(-1, 1, count)
        step, amount = half, amount / decay**2
    heights -= heights.min()
    return np.asarray(heights / heights.max())


def _with_below(values: np.ndarray) -> np.ndarray:
    return np.asarray(values + np.roll(values, -1, axis=0))


def _with_right(values: np.ndarray) -> np.ndarray:
    return np.asarray(values + np.roll(values, -1, axis=1))


def spatter(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Spatter with water, or with mud: blobs of thresholded smooth noise."""
    mean, deviation, size, threshold, strength, is_mud = constants
    liquid = smoothed(rng.normal(mean, deviation, x.shape[:2]), size)
    if is_mud:
        mud = smoothed((liquid > threshold).astype(np.float64), strength)[..., None]
        mud[mud < 0.8] = 0
        return np.asarray(x * (1 - mud) + MUD * mud)
    drops = (np.where(liquid < threshold, 0, liquid).clip(0, 1) * 255).astype(np.uint8)
    water = drops * _relief(drops)
    return np.asarray(x + strength * (water / (float(water.max()) or 1))[..., None] * WATER)


def _relief(drops: np.ndarray) -> np.ndarray:
    """Light drops, uint8 (H, W), from one side, by the distance from their edges: float32 (H, W)."""
    edges = 255 - cv2.Canny(drops, 50, 150)
    distance = np.minimum(cv2.distanceTransform(edges, cv2.DIST_L2, 5), 20)
    even = cv2.equalizeHist(cv2.blur(distance, (3, 3)).astype(np.uint8))
    lit = cv2.filter2D(even, cv2.CV_8U, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], np.float32))
    return np.asarray(cv2.blur(lit, (3, 3)).astype(np.float32))
