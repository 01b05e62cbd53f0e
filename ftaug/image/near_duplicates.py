"""Near duplicates among pictures: copies that were compressed, resized, cropped or edited slightly.

Candidates have close perceptual hashes: the signs of the 64 lowest DCT coefficients of 32×32 gray levels, as in pHash
(Zauner, 2010), and those of crops to 95 %, so that the hash of a cropped copy is close to one of them. What is compared
then is detail, since many different pictures have the same shades.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from ftaug.data.near_duplicates import close_codes
from ftaug.interfaces.data_health import Rows

SIDE = 32
"""Height and width of the gray levels that pictures are hashed from."""

BLOCK = 512
"""Number of pictures that are hashed, or of pairs that are compared, together."""

MOST_BITS = 8
"""Largest number of the 64 bits of two hashes that may differ."""

CROP = 0.95
CROPS = (
    (0.0, 0.0, 1.0),
    *((y, x, CROP) for y, x in ((0.025, 0.025), (0.0, 0.0), (0.0, 0.05), (0.05, 0.0), (0.05, 0.05))),
)
"""Top, left and size of the crops that are hashed, as shares of the picture; the first is the whole picture."""

FREQUENCIES = 11
"""Number of DCT frequencies of an axis; the hash takes the 64 coefficients whose frequencies have the lowest sums."""

_LOWEST = sorted((u + v, u, v) for u in range(FREQUENCIES) for v in range(FREQUENCIES) if u + v > 0)[:64]

NOISE = 20.0
"""Threshold of the coefficients, sums of 32×32 gray levels: those of symmetric pictures are 0 but for rounding."""

COMPARED_SIDE = 128
"""Height and width in pixels at which two pictures are compared."""

DETAIL = (1.5, 8.0)
"""Standard deviations in pixels of the Gaussian blurs whose difference is compared."""

MARGIN = 4
"""Pixels at the edges that are not compared, since the blurs have no neighbors beyond."""

SCALES = (1.0, 0.975, 0.95, 0.925, 0.9)
"""Sizes that one picture may have as a crop of the other."""

ALIKE = 0.95
"""Correlation of detail from which pictures are near duplicates."""

SMALL = 48
"""Shorter side in pixels below which pictures have so little detail that they must agree more."""

SMALL_ALIKE = 0.98

MOST_COLOR_DIFFERENCE = 16.0
"""Largest mean difference of colors, in levels of 256."""

ASPECT_TOLERANCE = 1.1
HALF_TOLERANCE = 0.05
"""How much less pictures may correlate at half the size, where crops are aligned less exactly."""

COARSE_DETAIL = (0.8, 3.0)
COARSE_ALIKE = 0.6
"""Correlation of detail in 32×32 gray levels below which two pictures are not compared further."""

MOST_CANDIDATES = 2
"""Number of pairs to compare, for each picture; those with the highest correlation, if there are more."""

FLAT = 1.0
"""Standard deviation of detail, in gray levels, below which a picture has nothing to compare."""


def hashes(gray: np.ndarray, crop: tuple[float, float, float] = CROPS[0]) -> np.ndarray:
    """Return the perceptual hashes of pictures given as gray levels, uint8 (n, 32 · 32): uint64 (n,)."""
    top, left, size = crop
    rows, columns = _cosines(top, size), _cosines(left, size)
    _, u, v = np.transpose(_LOWEST)
    levels = gray.reshape(-1, SIDE, SIDE).astype(np.float32)
    bits = np.packbits((rows @ levels @ columns.T)[:, u, v] > NOISE, axis=1)
    return np.ascontiguousarray(bits).view(np.uint64).ravel()


def _cosines(offset: float, size: float) -> np.ndarray:
    """Return the DCT basis of a crop of an axis: float32 (frequencies, 32)."""
    edges = np.arange(SIDE + 1) / SIDE
    inside = np.clip(np.minimum(edges[1:], offset + size) - np.maximum(edges[:-1], offset), 0, None) * SIDE
    places = (edges[:-1] + 0.5 / SIDE - offset) / size
    return np.asarray(np.cos(np.pi * np.arange(FREQUENCIES)[:, None] * places) * inside, np.float32)


def candidates(gray: Rows) -> np.ndarray:
    """Return pairs of pictures with close hashes and similar detail: int64 (pairs, 2), each pair once."""
    queries = np.empty((len(CROPS), len(gray)), np.uint64)
    for start in range(0, len(gray), BLOCK):
        block = gray[start : start + BLOCK]
        queries[:, start : start + BLOCK] = [hashes(block, crop) for crop in CROPS]
    pairs = close_codes(queries, queries[0], MOST_BITS)
    similarity = np.concatenate(
        [np.empty(0, np.float32), *(_coarse_similarity(gray, part) for part in np.array_split(pairs, _blocks(pairs)))]
    )
    order = np.argsort(-similarity, kind="stable")[: MOST_CANDIDATES * len(gray)]
    return np.asarray(pairs[order[similarity[order] >= COARSE_ALIKE]])


def _blocks(rows: np.ndarray) -> int:
    return max(1, math.ceil(len(rows) / BLOCK))


def _coarse_similarity(gray: Rows, pairs: np.ndarray) -> np.ndarray:
    """Return the correlation of the detail in 32×32 gray levels of pairs of pictures: float32 (pairs,)."""
    fine, coarse = (
        cv2.GaussianBlur(np.eye(SIDE, dtype=np.float32), (1, 0), sigmaX=1e-3, sigmaY=s) for s in COARSE_DETAIL
    )
    sides = []
    for rows in pairs.T:
        levels = gray[rows].reshape(-1, SIDE, SIDE).astype(np.float32)
        detail = (fine @ levels @ fine.T - coarse @ levels @ coarse.T).reshape(-1, SIDE * SIDE)
        sides.append(detail / np.maximum(np.linalg.norm(detail, axis=1, keepdims=True), 1e-6))
    return np.asarray((sides[0] * sides[1]).sum(axis=1))


def is_near_duplicate(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two pictures, uint8 (H, W, 3), have the same detail and colors, one possibly as a crop of the other."""
    ratio = (first.shape[0] * second.shape[1]) / (first.shape[1] * second.shape[0])
    if (
        not 1 / ASPECT_TOLERANCE <= ratio <= ASPECT_TOLERANCE
        or _color_difference(first, second) > MOST_COLOR_DIFFERENCE
    ):
        return False
    shorter = min(first.shape[:2] + second.shape[:2])
    needed = SMALL_ALIKE if shorter < SMALL else ALIKE
    images = [_gray(pixels) for pixels in (first, second)]
    small = [cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for image in images]
    return any(
        detail_correlation(small[whole], small[1 - whole]) >= needed - HALF_TOLERANCE
        and detail_correlation(images[whole], images[1 - whole]) >= needed
        for whole in (0, 1)
    )


def detail_correlation(whole: np.ndarray, crop: np.ndarray) -> float:
    """Return the highest correlation of detail of a picture with crops of another; float32 (side, side) both."""
    unit = COMPARED_SIDE // len(whole)
    reference = _detail(whole, unit)
    best = 0.0
    for scale in SCALES:
        side = round(len(whole) * scale)
        detail = _detail(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), unit)
        if min(detail.std(), reference.std()) >= FLAT:
            best = max(best, float(cv2.matchTemplate(reference, detail, cv2.TM_CCOEFF_NORMED).max()))
    return best


def _detail(image: np.ndarray, unit: int) -> np.ndarray:
    fine, coarse = (cv2.GaussianBlur(image, (0, 0), sigma / unit) for sigma in DETAIL)
    edge = slice(MARGIN // unit, -MARGIN // unit)
    return np.asarray((fine - coarse)[edge, edge])


def _gray(pixels: np.ndarray) -> np.ndarray:
    small = cv2.resize(pixels, (COMPARED_SIDE, COMPARED_SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)


def _color_difference(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean difference of colors at a coarse resolution."""
    small = [cv2.resize(pixels, (8, 8), interpolation=cv2.INTER_AREA).astype(np.float32) for pixels in (first, second)]
    return float(np.abs(small[0] - small[1]).mean())
