"""Gray TIFF of any depth: white is 255, whichever value stands for it."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiffs import OPENCV_5, gray_tiff

from ftaug.engine.loading.split import load_splits
from ftaug.errors import BadData, ExperimentError
from ftaug.experiment_file import import_components, load
from ftaug.image import samples as verbs
from ftaug.image.augmentations.pipeline import Pipeline
from ftaug.image.io.decode import decode, probe
from ftaug.image.io.decode_cache import DecodedSamples

import_components("image")


def ramp(top, height=6, width=10):
    return np.linspace(0, top, height * width).reshape(height, width)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 10, 12, 14, 16])
@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize("big_endian", [False, True])
def test_white_is_255_at_every_depth(bits, white_is_zero, big_endian):
    top = 2**bits - 1
    values = np.rint(ramp(top)).astype(np.int64)
    data = gray_tiff(values, bits, white_is_zero=white_is_zero, big_endian=big_endian)
    expected = np.rint(values * 255 / top)
    expected = 255 - expected if white_is_zero else expected
    pixels = decode(data)
    assert probe(data) == values.shape
    np.testing.assert_array_equal(pixels, np.repeat(expected[..., None], 3, axis=2))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_that_of_pillow(orientation):
    deep = np.arange(60).reshape(6, 10) * 1000
    flat = np.rint(deep * 255 / 65535)
    data = gray_tiff(deep, 16, orientation=orientation)
    expected = decode(gray_tiff(flat, 8, orientation=orientation))
    assert probe(data) == expected.shape[:2]
    np.testing.assert_array_equal(decode(data), expected)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_files(compression):
    values = np.rint(ramp(65535, 40, 30)).astype(np.uint16)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "TIFF", compression=compression)
    np.testing.assert_array_equal(decode(file.getvalue())[..., 0], np.rint(values / 257))


DEEP = [pytest.param(32, 1, marks=OPENCV_5), (32, 2), (16, 2), (32, 3), (64, 3)]


@pytest.mark.parametrize(("bits", "sample_format"), DEEP)
@pytest.mark.parametrize("top", [1, 200, 30_000])
def test_deep_pictures_are_refused_without_a_range(bits, sample_format, top):
    """Whatever the values of a picture are, they do not say what black and white are in the data set."""
    with pytest.raises(BadData, match=rf"\(0 to {top} here\).*set value_range: \[black, white\]"):
        decode(gray_tiff(ramp(top), bits, sample_format=sample_format))


@pytest.mark.parametrize(("bits", "sample_format"), DEEP)
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_a_range_gives_all_pictures_one_scale(bits, sample_format, white_is_zero):
    for top in (50, 100, 1000):
        values = np.rint(ramp(top))
        data = gray_tiff(values, bits, sample_format=sample_format, white_is_zero=white_is_zero)
        expected = np.rint(values * 2.55).clip(0, 255)
        expected = 255 - expected if white_is_zero else expected
        np.testing.assert_array_equal(decode(data, value_range=(0, 100))[..., 0], expected)


def test_a_range_may_be_below_zero_and_reversed():
    values = np.array([[-1000.0, -300.0, 400.0, 2000.0]])
    data = gray_tiff(values, 32, sample_format=3)
    assert decode(data, value_range=(-1000, 400))[0, :, 0].tolist() == [0, 128, 255, 255]
    assert decode(data, value_range=(400, -1000))[0, :, 0].tolist() == [255, 128, 0, 0]


@OPENCV_5
def test_unsigned_32_bit_values_are_not_negative():
    data = gray_tiff(np.array([[0, 2**32 - 1]]), 32)
    assert decode(data, value_range=(0, 2**32 - 1))[0, :, 0].tolist() == [0, 255]


def test_a_range_is_of_the_values_in_the_file():
    twelve = gray_tiff(np.array([[0, 1000, 2000]]), 12)
    sixteen = gray_tiff(np.array([[0, 1000, 2000]]), 16)
    png = io.BytesIO()
    Image.fromarray(np.array([[0, 1000, 2000]], np.uint16)).save(png, "PNG")
    for data in (twelve, sixteen, png.getvalue()):
        assert decode(data, value_range=(0, 2000))[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("cut", [20, 60, 200])
def test_a_file_that_is_cut_short_is_refused(cut):
    with pytest.raises(BadData, match="truncated"):
        decode(gray_tiff(ramp(60_000, 16, 16), 16)[:-cut])


def test_a_file_whose_pixels_are_cut_short_is_refused():
    """Where the tags come first: what is missing would be black."""
    values = np.full((64, 64), 60_000, np.uint16)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "TIFF")
    whole = file.getvalue()
    assert (decode(whole) == 233).all()
    with pytest.raises(BadData, match="truncated"):
        decode(whole[:-500])


def test_not_a_number_is_refused():
    values = ramp(1)
    values[2, 3] = np.nan
    with pytest.raises(BadData, match="not numbers"):
        decode(gray_tiff(values, 32, sample_format=3), value_range=(0, 1))


def test_a_kind_that_cannot_be_read_is_said():
    with pytest.raises(BadData, match="TIFF"):
        decode(gray_tiff(ramp(1), 16, sample_format=3), value_range=(0, 1))


def folder_of(path: Path, top: float) -> Path:
    for name in ("a", "b"):
        (path / name).mkdir(parents=True)
        for number in range(3):
            values = ramp(top) * (number + 1) / 3
            (path / name / f"{number}.tif").write_bytes(gray_tiff(values, 32, sample_format=3))
    return path


def experiment_of(folder: Path, *overrides: str):
    file = folder.parent / "experiment.yaml"
    file.write_text(f"data: {{train: {{image_folder: {{path: {folder}}}}}, val: null}}\nbackbone: resnet20\n")
    return load(file, overrides)


SCALE = "data.train.image_folder.value_range=[0, 300]"


def test_a_data_set_has_one_scale_in_training_and_in_predict(tmp_path):
    folder = folder_of(tmp_path / "data", 300.0)
    experiment = experiment_of(folder, SCALE)
    train = experiment.data.train("train")
    pipeline = Pipeline((), {"size": (6, 10), "resize": None, "interpolation": "bilinear"})
    darkest = verbs.prepare(train.read(0), pipeline, None)[0]
    assert darkest.max() == 85  # a third of the scale, not white
    (first, *_) = verbs.inputs([str(folder / "a" / "0.tif")], experiment.data.train)
    np.testing.assert_array_equal(verbs.prepare(first.read(), pipeline, None)[0], darkest)
    assert train.fingerprint != experiment_of(folder).data.train("train").fingerprint
    stored = DecodedSamples(train, tmp_path / "cache", must_keep=True)
    for _ in range(2):
        np.testing.assert_array_equal(verbs.prepare(stored.read(0), pipeline, None)[0], darkest)


def test_without_a_scale_the_error_names_the_file_and_the_setting(tmp_path):
    experiment = experiment_of(folder_of(tmp_path / "data", 300.0))
    data = load_splits(experiment.data, 0)["train"]
    pipeline = Pipeline((), {"size": (6, 10), "resize": None, "interpolation": "bilinear"})
    with pytest.raises(BadData, match="value_range"):
        verbs.prepare(data.samples.read(0), pipeline, None)[0]


@pytest.mark.parametrize("value", ["[1, 1]", "[1]", "5", "[0, .inf]", "[a, b]"])
def test_a_range_is_two_different_numbers(tmp_path, value):
    with pytest.raises(ExperimentError, match="value_range"):
        experiment_of(tmp_path / "data", f"data.train.image_folder.value_range={value}")


def test_pictures_of_few_gray_levels_are_cautioned(tmp_path):
    """As 12-bit values in files of 16 bits are: 17 of 256 levels."""
    for top, caution in ((4095, True), (65535, False)):
        folder = tmp_path / str(top) / "data"
        for name in ("a", "b"):
            (folder / name).mkdir(parents=True)
            (folder / name / "0.tif").write_bytes(gray_tiff(np.rint(ramp(top, 40, 40)), 16))
        samples = experiment_of(folder).data.train("train")
        said = verbs.cautions(samples, np.arange(2), None, None)
        assert bool(said) == caution
        assert not said or "17 of 256 grey levels, 0 to 16" in said[0]


def test_the_batch_is_uint8():
    assert decode(gray_tiff(ramp(65535), 16)).dtype == np.uint8
    assert torch.from_numpy(decode(gray_tiff(ramp(65535), 16))).is_contiguous()
