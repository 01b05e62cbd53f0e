"""The common corruptions of Hendrycks and Dietterich (2019), but for weather: noise, blur, color and compression.

Each takes its constants, a random generator and the image as float64 (H, W, 3) from 0 to 1, and returns one of the same
shape, which may exceed that range. They follow the published code, also where it is surprising: `glass_blur` copies
pixels in place of swapping them, and grays become reddish in `saturate`.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image

Constants = Sequence[float]


def gaussian_noise(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Add Gaussian noise of a standard deviation."""
    return np.asarray(x + rng.normal(scale=constants[0], size=x.shape))


def shot_noise(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Count photons: Poisson noise, white having a number of them."""
    return np.asarray(rng.poisson(x * constants[0]) / constants[0])


def impulse_noise(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Set a share of the values, each channel for itself, to 0 or 1."""
    hit, white = rng.random(x.shape) < constants[0], rng.random(x.shape) < 0.5
    return np.where(hit, white, x)


def speckle_noise(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Add Gaussian noise proportional to the value."""
    return np.asarray(x + x * rng.normal(scale=constants[0], size=x.shape))


def gaussian_blur(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Blur with a Gaussian of a standard deviation in pixels."""
    return smoothed(x, constants[0])


def defocus_blur(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Blur with a disk of a radius, itself blurred against aliasing."""
    radius, softness = constants
    reach, side = (8, 3) if radius <= 8 else (round(radius), 5)
    offsets = np.arange(-reach, reach + 1)
    disk = (offsets[:, None] ** 2 + offsets**2 <= radius**2).astype(np.float32)
    return np.asarray(cv2.filter2D(x, -1, cv2.GaussianBlur(disk / disk.sum(), (side, side), softness)))


def glass_blur(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Blur, copy pixels from random places nearby, row by row from the last to the first, and blur again."""
    deviation, reach, rounds = constants[0], int(constants[1]), int(constants[2])
    pixels = (smoothed(x, deviation) * 255).astype(np.uint8)
    for _ in range(rounds):
        shifts = rng.integers(-reach, reach, (*pixels.shape[:2], 2))
        pixels = _copied_in_order(pixels, shifts, reach)
    return smoothed(pixels / 255, deviation)


def _copied_in_order(pixels: np.ndarray, shifts: np.ndarray, reach: int) -> np.ndarray:
    """Replace each pixel away from the edges by the one at its shift (rows, columns, 2), from the last to the first.

    A source further back was replaced before, so the value is that of the end of a chain of sources.
    """
    height, width = pixels.shape[:2]
    index = np.arange(height * width).reshape(height, width)
    inside = np.zeros((height, width), bool)
    inside[reach + 1 : height - reach + 1, reach + 1 : width - reach + 1] = True
    rows, columns = np.nonzero(inside)
    down, right = shifts[rows, columns].T
    sources = index.copy()
    sources[rows, columns] = index[rows + down, columns + right]
    source, place, replaced = sources.ravel(), index.ravel(), inside.ravel()
    last = np.where(replaced & (source > place) & replaced[source], source, place)  # of the chain, itself at the end
    while not np.array_equal(further := last[last], last):
        last = further
    return np.asarray(pixels.reshape(-1, pixels.shape[2])[source[last]].reshape(pixels.shape))


def motion_blur(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Blur along a line of a radius, with Gaussian weights, at a random angle from -45 to 45 degrees."""
    radius, deviation = constants
    return np.asarray(np.rint(255 * blurred_along(x, radius, deviation, rng.uniform(-45, 45))) / 255)


def blurred_along(x: np.ndarray, radius: float, deviation: float, degrees: float) -> np.ndarray:
    """Average pixels at steps along a line, to one side alone, with half of a Gaussian as weights (ImageMagick)."""
    steps = np.arange(2 * math.ceil(radius) + 1)
    weights = np.exp(-(steps**2) / (2 * deviation**2))
    angle = math.radians(degrees)
    down = np.ceil(steps * math.sin(angle) - 0.5).astype(int)
    right = np.ceil(steps * math.cos(angle) - 0.5).astype(int)
    height, width = x.shape[:2]
    margin = len(steps)
    padded = np.pad(x, ((margin, margin), (margin, margin), *((0, 0),) * (x.ndim - 2)), mode="edge")
    total = np.zeros_like(x)
    for weight, dy, dx in zip(weights / weights.sum(), down, right, strict=True):
        total += weight * padded[margin + dy : margin + dy + height, margin + dx : margin + dx + width]
    return total


def zoom_blur(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Average the image with its centers, zoomed by factors from 1 up to a limit in steps."""
    factors = np.arange(1, *constants)
    return np.asarray((x + sum(zoomed(x, factor) for factor in factors)) / (len(factors) + 1))


def zoomed(x: np.ndarray, factor: float) -> np.ndarray:
    """Enlarge the center by a factor to the size of the image, by linear interpolation between corner pixels."""
    for axis in (0, 1):
        length = x.shape[axis]
        cropped = math.ceil(length / factor)
        enlarged = round(cropped * factor)
        places = np.arange((enlarged - length) // 2, (enlarged - length) // 2 + length)
        places = (length - cropped) // 2 + places * (cropped - 1) / max(enlarged - 1, 1)
        low = np.floor(places).astype(int)
        share = (places - low).reshape(-1, *(1,) * (x.ndim - 1 - axis))
        x = x.take(low, axis) * (1 - share) + x.take(np.minimum(low + 1, length - 1), axis) * share
    return x


def brightness(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Raise the value of HSV."""
    value = x.max(axis=2, keepdims=True)
    raised = np.clip(value + constants[0], 0, 1)
    return np.asarray(np.where(value > 0, x * raised / np.where(value > 0, value, 1), raised))


def saturate(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Multiply the saturation of HSV and add to it; the hue of grays is that of red."""
    value, lowest = x.max(axis=2, keepdims=True), x.min(axis=2, keepdims=True)
    is_gray = value == lowest
    saturation = (value - lowest) / np.where(value > 0, value, 1)
    changed = np.clip(saturation * constants[0] + constants[1], 0, 1)
    colored = value - (value - x) * changed / np.where(is_gray, 1, saturation)
    return np.asarray(np.where(is_gray, value * (1 - changed * [0, 1, 1]), colored))


def contrast(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Scale the distance of each channel from its mean."""
    mean = x.mean(axis=(0, 1), keepdims=True)
    return np.asarray((x - mean) * constants[0] + mean)


def elastic_transform(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Apply a random affine map, and displacements that are smoothed noise; the constants are shares of the side."""
    height, width = x.shape[:2]
    largest, deviation, corner = (min(height, width) * share for share in constants)
    row, column, reach = height // 2, width // 2, min(height, width) // 3
    corners = [[row + reach, column + reach], [row + reach, column - reach], [row - reach, column - reach]]
    before = np.array(corners, np.float32)
    after = before + rng.uniform(-corner, corner, (3, 2)).astype(np.float32)
    affine = cv2.getAffineTransform(before, after)
    x = cv2.warpAffine(x.astype(np.float32), affine, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    across, down = (_smooth_noise(rng, (height, width), deviation) * largest for _ in range(2))
    return _displaced(x.astype(np.float64), down, across)


def _smooth_noise(rng: np.random.Generator, shape: tuple[int, int], deviation: float) -> np.ndarray:
    rows, columns = (_mirroring_blur(length, deviation) for length in shape)
    return np.asarray(rows @ rng.uniform(-1, 1, shape) @ columns.T)


@lru_cache(maxsize=8)
def _mirroring_blur(length: int, deviation: float) -> np.ndarray:
    """Return the matrix of a Gaussian blur, cut off at three standard deviations, that mirrors at the edges.

    The standard deviation may be as large as the image, where a filter on padded pixels takes seconds.
    """
    reach = int(3 * deviation + 0.5)
    steps = np.arange(-reach, reach + 1)
    weights = np.exp(-(steps**2) / (2 * deviation**2)) if reach else np.ones(1)
    matrix = np.zeros((length, length))
    places = np.arange(length)[:, None]
    np.add.at(matrix, (places, _mirrored(places + steps, length)), weights / weights.sum())
    return matrix


def _displaced(x: np.ndarray, down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """Interpolate linearly at displaced places; beyond the edges the image is mirrored."""
    height, width = x.shape[:2]
    y, left = np.arange(height)[:, None] + down, np.arange(width) + across
    top, start = np.floor(y).astype(int), np.floor(left).astype(int)
    dy, dx = (y - top)[..., None], (left - start)[..., None]
    rows, columns = ([_mirrored(i + step, n) for step in (0, 1)] for i, n in ((top, height), (start, width)))
    upper, lower = (x[row, columns[0]] * (1 - dx) + x[row, columns[1]] * dx for row in rows)
    return np.asarray(upper * (1 - dy) + lower * dy)


def _mirrored(index: np.ndarray, length: int) -> np.ndarray:
    index = index % (2 * length)
    return np.asarray(np.minimum(index, 2 * length - 1 - index))


def pixelate(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Shrink by a factor and enlarge again, both by box filters."""
    picture, (height, width) = _picture(x), x.shape[:2]
    small = max(1, int(width * constants[0])), max(1, int(height * constants[0]))
    box = Image.Resampling.BOX
    return np.asarray(picture.resize(small, box).resize((width, height), box)) / 255


def jpeg_compression(constants: Constants, rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """Compress as JPEG of a quality."""
    file = io.BytesIO()
    _picture(x).save(file, "JPEG", quality=int(constants[0]))
    with Image.open(file) as picture:
        return np.asarray(picture) / 255


def smoothed(x: np.ndarray, deviation: float) -> np.ndarray:
    """Apply a Gaussian blur that is cut off at four standard deviations; the edge pixels continue outside."""
    reach = int(4 * deviation + 0.5)
    if not reach:
        return x
    kernel = cv2.getGaussianKernel(2 * reach + 1, deviation)
    return np.asarray(cv2.sepFilter2D(x, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE))


def _picture(x: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(x * 255).astype(np.uint8))
