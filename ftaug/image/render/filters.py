"""Pixel filters with given parameters: pure functions on uint8 (H, W, 3), with the pixels as last argument."""

from __future__ import annotations

import math

import cv2
import numpy as np

SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13


def equalized_locally(share: float, limit: float, tiles: int, pixels: np.ndarray) -> np.ndarray:
    """Apply CLAHE to the lightness (L of CIE Lab) and blend the result with the image."""
    tiles_across, tiles_down = (max(1, min(tiles, length)) for length in (pixels.shape[1], pixels.shape[0]))
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(limit, (tiles_across, tiles_down)).apply(lab[..., 0])
    equal = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.asarray(cv2.addWeighted(equal, share, pixels, 1 - share, 0))


def blurred(deviation: float, pixels: np.ndarray) -> np.ndarray:
    """Apply a Gaussian blur with sigma in pixels; the kernel is truncated at three sigmas.

    In float32: in less time than OpenCV's `GaussianBlur`, whose fixed-point weights round less exactly.
    """
    kernel = cv2.getGaussianKernel(2 * math.ceil(3 * deviation) + 1, deviation, cv2.CV_32F)
    smooth = cv2.sepFilter2D(pixels, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(cv2.convertScaleAbs(smooth))


def motion_blurred(length: float, degrees: float, pixels: np.ndarray) -> np.ndarray:
    """Apply motion blur along a line of a length in pixels; a length of 1 changes nothing."""
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
    """Scale the distance from the smoothed image, as Pillow's Sharpness does; the outermost pixels stay."""
    smooth = cv2.filter2D(pixels, -1, SMOOTH)
    for edge in (np.s_[:1], np.s_[-1:], np.s_[:, :1], np.s_[:, -1:]):
        smooth[edge] = pixels[edge]
    return np.asarray(cv2.addWeighted(pixels, factor, smooth, 1 - factor, 0))


def with_gaussian_noise(deviation: float, seed: int, pixels: np.ndarray) -> np.ndarray:
    """Add Gaussian noise; the standard deviation is a share of white."""
    noise = _noise(seed).standard_normal(pixels.shape, np.float32)
    return _rounded(pixels + 255 * deviation * noise)


def with_shot_noise(deviation: float, seed: int, pixels: np.ndarray) -> np.ndarray:
    """Add Poisson (shot) noise whose standard deviation at white is a share of white."""
    if deviation < 1e-4:  # less than a level by twenty deviations
        return pixels.copy()
    photons = 1 / deviation**2
    table = photons * np.arange(256) / 255
    return _rounded(_noise(seed).poisson(table[pixels]) * (255 / photons))


def with_salt_and_pepper(count: int, seed: int, pixels: np.ndarray) -> np.ndarray:
    """Set `count` random pixels to black or white."""
    chance = _noise(seed).random(pixels.shape[0] * pixels.shape[1], np.float32)
    result = pixels.copy()
    if count:
        hit = chance.argpartition(count - 1)[:count]
        result.reshape(-1, 3)[hit] = np.where(chance[hit] < chance[hit].max() / 2, 255, 0)[:, None]
    return result


def compressed(quality: int, pixels: np.ndarray) -> np.ndarray:
    """Encode as JPEG and decode again."""
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB))


def coarsened(factor: float, pixels: np.ndarray) -> np.ndarray:
    """Downscale by a factor and upscale to the original size."""
    height, width = pixels.shape[:2]
    small = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(cv2.resize(pixels, small, interpolation=cv2.INTER_AREA), (width, height)))


def bent(shifts: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Apply an elastic transform from a coarse grid of displacements (rows, columns, 2) in pixels."""
    return displaced(smooth_field(shifts, *pixels.shape[:2]), pixels)


def smooth_field(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Interpolate independent values (rows, columns, 2) to (height, width, 2), keeping their standard deviation.

    Interpolation averages values, which lowers their variance, so interpolated values are rescaled.
    """
    spread = (
        np.linalg.norm(cv2.resize(np.eye(number), (number, length), interpolation=cv2.INTER_CUBIC), axis=1)
        for number, length in zip(values.shape, (height, width), strict=False)
    )
    field = cv2.resize(values.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field / np.multiply.outer(*spread)[..., None].astype(np.float32))


def displaced(field: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Warp by a displacement field in pixels along x and y: float32 (H, W, 2)."""
    height, width = pixels.shape[:2]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = columns + field[..., 0], rows + field[..., 1]
    return np.asarray(cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101))


def regridded(columns: np.ndarray, rows: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Apply a grid distortion: lines of an even grid are taken from the given shares of the width and the height."""
    height, width = pixels.shape[:2]
    x = np.interp((np.arange(width) + 0.5) / width, np.linspace(0, 1, len(columns)), columns) * width - 0.5
    y = np.interp((np.arange(height) + 0.5) / height, np.linspace(0, 1, len(rows)), rows) * height - 0.5
    across, down = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return np.asarray(cv2.remap(pixels, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def masked(mask: np.ndarray, fill: str, seed: int, pixels: np.ndarray) -> np.ndarray:
    """Fill the pixels under a mask (H, W) with the image's mean color, black or noise."""
    result = pixels.copy()
    if fill == "mean":
        result[mask] = np.rint(cv2.mean(pixels)[:3])
    elif fill == "black":
        result[mask] = 0
    else:
        result[mask] = _noise(seed).integers(256, size=(int(mask.sum()), 3), dtype=np.uint8)
    return result


def fogged(strength: float, clouds: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Add fog: blend with white by half the strength everywhere, and by the other half times the clouds (0…1)."""
    height, width = pixels.shape[:2]
    thick = cv2.resize(clouds.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    share = strength * (0.5 + 0.5 * thick[..., None])
    return _rounded(pixels + share * (255.0 - pixels))


def shaded(strength: float, corners: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Darken a polygon with a soft edge; its corners are shares of the width and height."""
    height, width = pixels.shape[:2]
    shade = np.zeros((height, width), np.uint8)
    cv2.fillPoly(shade, [np.rint(corners * [width, height]).astype(np.int32)], 255)
    soft = cv2.GaussianBlur(shade, (0, 0), max(0.5, 0.01 * min(height, width)))
    return _rounded(pixels * (1 - strength / 255 * soft[..., None].astype(np.float32)))


def _noise(seed: int) -> np.random.Generator:
    """Return a generator seeded from the op's stream; SFC64 is numpy's fastest bit generator."""
    return np.random.Generator(np.random.SFC64(seed))


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.rint(values).clip(0, 255).astype(np.uint8))
