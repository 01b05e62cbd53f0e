"""Copies of pictures are recognized through compression, size, crop and edits; other pictures are not."""

import tracemalloc

import cv2
import numpy as np
import pytest
from doctor_data import stored
from pictures import texture
from scipy.fft import dctn

from ftaug.image.near_duplicates import CROPS, candidates, hashes, is_near_duplicate

PICTURES = [texture(150 + 10 * (seed % 3), 200, seed) for seed in range(24)]


def compressed(pixels):
    return cv2.imdecode(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)


def resized(pixels):
    return cv2.resize(pixels, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)


def cropped(pixels):
    height, width = pixels.shape[:2]
    return pixels[round(0.01 * height) : round(0.96 * height), round(0.04 * width) : round(0.99 * width)]


def brightened(pixels):
    return np.clip(pixels * 1.05 + 4, 0, 255).astype(np.uint8)


def gray(pixels):
    return cv2.cvtColor(cv2.resize(pixels, (32, 32), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)


@pytest.mark.parametrize("edit", [compressed, resized, cropped, brightened])
def test_copies_are_candidates_and_confirmed(edit):
    copies = [edit(pixels) for pixels in PICTURES]
    levels = np.stack([gray(pixels).ravel() for pixels in PICTURES + copies])
    pairs = {tuple(pair) for pair in candidates(stored(levels)).tolist()}
    count = len(PICTURES)
    assert sum((row, row + count) in pairs for row in range(count)) >= 0.95 * count
    assert sum(is_near_duplicate(*pair) for pair in zip(PICTURES, copies, strict=True)) >= 0.95 * count
    assert sum(is_near_duplicate(*pair) for pair in zip(copies, PICTURES, strict=True)) >= 0.95 * count


def test_other_pictures_are_not():
    assert not any(is_near_duplicate(PICTURES[i], PICTURES[j]) for i in range(8) for j in range(i))
    levels = np.stack([gray(pixels).ravel() for pixels in PICTURES])
    assert len(candidates(stored(levels))) == 0
    mirrored = PICTURES[0][:, ::-1]
    assert not is_near_duplicate(PICTURES[0], mirrored)
    recolored = PICTURES[0][..., [1, 2, 0]] // 2
    assert not is_near_duplicate(PICTURES[0], recolored)


def test_pictures_without_detail_are_not():
    flat = np.full((100, 100, 3), 90, np.uint8)
    assert not is_near_duplicate(flat, flat.copy())


def test_a_hash_is_the_signs_of_low_frequencies():
    levels = np.stack([gray(pixels) for pixels in PICTURES[:3]])
    coefficients = dctn(levels.astype(float), type=2, axes=(1, 2)) / 4
    order = sorted((u + v, u, v) for u in range(11) for v in range(11) if u + v > 0)[:64]
    expected = [[picture[u, v] > 20 for _, u, v in order] for picture in coefficients]
    bits = np.unpackbits(hashes(levels.reshape(3, -1)).view(np.uint8).reshape(3, 8), axis=1)
    assert (bits == np.array(expected)).mean() > 0.99


def test_the_hash_of_a_crop_is_close_to_that_of_the_cropped_picture():
    top, left, size = CROPS[3]
    pixels = PICTURES[0]
    height, width = pixels.shape[:2]
    rows, columns = round(top * height), round(left * width)
    crop = pixels[rows : rows + round(size * height), columns : columns + round(size * width)]
    whole, predicted, actual = (
        int(code[0])
        for code in (
            hashes(gray(pixels).reshape(1, -1)),
            hashes(gray(pixels).reshape(1, -1), CROPS[3]),
            hashes(gray(crop).reshape(1, -1)),
        )
    )
    assert (predicted ^ actual).bit_count() <= 3 < (whole ^ actual).bit_count()


def test_the_gray_levels_of_many_pictures_are_not_in_memory():
    peaks = []
    for count in (1000, 6000):
        rows = stored(np.random.default_rng(0).integers(0, 256, (count, 1024), np.uint8))
        tracemalloc.start()
        candidates(rows)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 0.5 * 1024 * 5000  # of the bytes of 5,000 pictures
