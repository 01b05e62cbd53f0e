"""What needs the pixels themselves, as pure functions on uint8 (H, W, 3) by exact amounts. Pixels come last."""

from __future__ import annotations

import math

import cv2
import numpy as np

SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13


def equalized_locally(share: float, limit: float, tiles: int, pixels: np.ndarray) -> np.ndarray:
    """Mixed with its contrast-limited adaptive histogram equalization of the lightness."""
    tiles_across, tiles_down = (max(1, min(tiles, length)) for length in (pixels.shape[1], pixels.shape[0]))
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(limit, (tiles_across, tiles_down)).apply(lab[..., 0])
    equal = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.asarray(cv2.addWeighted(equal, share, pixels, 1 - share, 0))


def blurred(deviation: float, pixels: np.ndarray) -> np.ndarray:
    """Blurred by a Gaussian with a deviation in pixels; the kernel reaches three deviations far."""
    side = 2 * math.ceil(3 * deviation) + 1
    return np.asarray(cv2.GaussianBlur(pixels, (side, side), deviation, borderType=cv2.BORDER_REFLECT_101))


def motion_blurred(length: float, degrees: float, pixels: np.ndarray) -> np.ndarray:
    """Averaged along a line of a length in pixels; a line of one pixel changes nothing."""
    along = np.linspace(-1, 1, 8 * math.ceil(length) + 1) * (length - 1) / 2
    x, y = (along * f(math.radians(degrees)) for f in (math.cos, math.sin))
    reach = math.ceil(length / 2) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    left, top = np.floor(x), np.floor(y)
    for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
        weights = (1 - np.abs(x - column)) * (1 - np.abs(y - row))
        np.add.at(kernel, (row.astype(int) + reach, column.astype(int) + reach), weights)
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101))


def sharpened(factor: float, pixels: np.ndarray) -> np.ndarray:
    """Every pixel's distance from the smoothed picture multiplied, as by Pillow; the outermost pixels stay."""
    smooth = cv2.filter2D(pixels, -1, SMOOTH)
    for edge in (np.s_[:1], np.s_[-1:], np.s_[:, :1], np.s_[:, -1:]):
        smooth[edge] = pixels[edge]
    return np.asarray(cv2.addWeighted(pixels, factor, smooth, 1 - factor, 0))


def with_gaussian_noise(deviation: float, seed: int, pixels: np.ndarray) -> np.ndarray:
    """Normal noise added, its deviation as a share of white."""
    noise = _noise(seed).standard_normal(pixels.shape, np.float32)
    return _rounded(pixels + 255 * deviation * noise)


def with_shot_noise(deviation: float, seed: int, pixels: np.ndarray) -> np.ndarray:
    """Counted in photons, so many that the noise of white has this deviation, as a share of white."""
    if deviation < 1e-4:  # less than a level by twenty deviations
        return pixels.copy()
    photons = 1 / deviation**2
    table = photons * np.arange(256) / 255
    return _rounded(_noise(seed).poisson(table[pixels]) * (255 / photons))


def with_salt_and_pepper(count: int, seed: int, pixels: np.ndarray) -> np.ndarray:
    """So many of the pixels made black or white."""
    chance = _noise(seed).random(pixels.shape[0] * pixels.shape[1], np.float32)
    result = pixels.copy()
    if count:
        hit = chance.argpartition(count - 1)[:count]
        result.reshape(-1, 3)[hit] = np.where(chance[hit] < chance[hit].max() / 2, 255, 0)[:, None]
    return result


def compressed(quality: int, pixels: np.ndarray) -> np.ndarray:
    """Written as a JPEG and read again."""
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB))


def coarsened(factor: float, pixels: np.ndarray) -> np.ndarray:
    """Made smaller by a factor, and as large as before again."""
    height, width = pixels.shape[:2]
    small = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(cv2.resize(pixels, small, interpolation=cv2.INTER_AREA), (width, height)))


def bent(shifts: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Every pixel taken from somewhere else: independent shifts (rows, columns, 2) in pixels, spread smoothly."""
    return displaced(smooth_field(shifts, *pixels.shape[:2]), pixels)


def smooth_field(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Independent values (rows, columns, 2) interpolated to (height, width, 2), with their deviation everywhere.

    A mean of several values deviates less than each of them, so what lies between them is multiplied.
    """
    spread = (
        np.linalg.norm(cv2.resize(np.eye(number), (number, length), interpolation=cv2.INTER_CUBIC), axis=1)
        for number, length in zip(values.shape, (height, width), strict=False)
    )
    field = cv2.resize(values.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field / np.multiply.outer(*spread)[..., None].astype(np.float32))


def displaced(field: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Every pixel taken from so many pixels further along x and y: float32 (H, W, 2)."""
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = columns + field[..., 0], rows + field[..., 1]
    return np.asarray(cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))


def regridded(columns: np.ndarray, rows: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Lines of an even grid taken from those at given shares of the width and the height."""
    height, width = pixels.shape[:2]
    x = np.interp((np.arange(width) + 0.5) / width, np.linspace(0, 1, len(columns)), columns) * width - 0.5
    y = np.interp((np.arange(height) + 0.5) / height, np.linspace(0, 1, len(rows)), rows) * height - 0.5
    across, down = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return np.asarray(cv2.remap(pixels, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def masked(mask: np.ndarray, fill: str, seed: int, pixels: np.ndarray) -> np.ndarray:
    """Pixels under a mask (H, W) replaced by the picture's mean colour, black or noise."""
    result = pixels.copy()
    if fill == "mean":
        result[mask] = np.rint(cv2.mean(pixels)[:3])
    elif fill == "black":
        result[mask] = 0
    else:
        result[mask] = _noise(seed).integers(256, size=(int(mask.sum()), 3), dtype=np.uint8)
    return result


def fogged(strength: float, clouds: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Mixed with white: everywhere by half the strength, and by the other half as thick as the clouds (0…1) are."""
    height, width = pixels.shape[:2]
    thick = cv2.resize(clouds.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    share = strength * (0.5 + 0.5 * thick[..., None])
    return _rounded(pixels + share * (255.0 - pixels))


def shaded(strength: float, corners: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Darkened within a polygon, whose corners are shares of the width and height; its edge is soft."""
    height, width = pixels.shape[:2]
    shade = np.zeros((height, width), np.uint8)
    cv2.fillPoly(shade, [np.rint(corners * [width, height]).astype(np.int32)], 255)
    soft = cv2.GaussianBlur(shade, (0, 0), max(0.5, 0.01 * min(height, width)))
    return _rounded(pixels * (1 - strength / 255 * soft[..., None].astype(np.float32)))


def _noise(seed: int) -> np.random.Generator:
    """SFC64 is numpy's fastest generator; what it starts from was drawn from the op's own stream."""
    return np.random.Generator(np.random.SFC64(seed))


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(values).clip(0, 255).astype(np.uint8))
