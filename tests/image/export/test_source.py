"""The source of scripts, run as it stands, against the package."""

import numpy as np
import pytest
from odd_pictures import encoded, photo

from ftaug.image.evaluation import evaluated
from ftaug.image.export.source import fit, read_by_pillow
from ftaug.image.io.decode import opened

SIZES = [(2, 3), (31, 400), (4, 3000), (101, 143), (224, 224), (300, 90), (700, 901)]
COMMON = {"mean": [0.5, 0.25, 0.1], "std": [0.25] * 3}
PREPROCESSINGS = [
    {"size": [32, 32], "resize": None, "interpolation": "bilinear"},
    {"size": [224, 224], "resize": 256, "interpolation": "bilinear"},
    {"size": [224, 224], "resize": 232, "interpolation": "bicubic", "crop_mode": "center"},
    {"size": [64, 48], "resize": 60, "interpolation": "bicubic", "crop_mode": "squash"},
    {"size": [64, 64], "resize": None, "interpolation": "bilinear", "crop_mode": "squash"},
    {"size": [64, 48], "resize": None, "interpolation": "bicubic", "crop_mode": "border"},
    {"size": [64, 64], "resize": 73, "interpolation": "bilinear", "crop_mode": "border"},
    {"size": [40, 40], "resize": 44, "interpolation": "nearest"},
]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("preprocessing", PREPROCESSINGS, ids=str)
def test_pillow_alone_fits_pictures_as_evaluation_does(preprocessing, size):
    """To the bit."""
    content = encoded(photo(*size), "PNG")
    expected = evaluated(opened(content), COMMON | preprocessing)
    pixels = fit(opened(content).load(1), COMMON | preprocessing)
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("input_name", ["images", "pixels", "sample"])
def test_the_source_runs_by_what_it_imports(input_name, tmp_path):
    file = tmp_path / "photo.png"
    file.write_bytes(encoded(photo(20, 30), "PNG"))
    source = read_by_pillow((0.0, 4095.0)).source(input_name)
    names = {"metadata": {"preprocessing": COMMON | PREPROCESSINGS[0]}}
    exec("\n".join(["from pathlib import Path", *source.imports, source.code]), names)
    ((name, batch),) = names["read"](file)
    assert (name, names["VALUE_RANGE"]) == (file, (0.0, 4095.0))
    if input_name == "images":
        np.testing.assert_array_equal(batch["images"][0], photo(20, 30))
    elif input_name == "pixels":
        assert batch["pixels"].shape == (1, 3, 32, 32)
    else:
        assert batch == photo(20, 30)
