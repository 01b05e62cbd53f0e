"""The recipe for programs elsewhere – steps, and a function of Pillow and NumPy – against what the commands decode."""

import ast
import inspect
import json

import numpy as np
import pytest
from odd_pictures import odd_pictures
from PIL import Image
from tiffs import OPENCV_5, gray_tiff

from ftaug.errors import BadData
from ftaug.image.export import decoding_recipe
from ftaug.image.io.decode import decode

DEEP = {
    "16 bits": gray_tiff([[0, 257 * 90, 65535]], 16),
    "16 bits, big-endian": gray_tiff([[0, 257 * 90, 65535]], 16, big_endian=True),
    "16 bits, white is zero": gray_tiff([[0, 257 * 90, 65535]], 16, white_is_zero=True),
    "12 bits": gray_tiff([[0, 1000, 4095]], 12),
    "turned": gray_tiff([[0, 1000, 65535], [7, 8, 9]], 16, orientation=6),
}
SIGNED = {
    "16 bits, signed": gray_tiff([[-100, 0, 3000]], 16, sample_format=2),
    "32 bits": gray_tiff([[0, 1000, 4095]], 32),
    "floats": gray_tiff([[-1.0, 0.5, 4000.0]], 32, sample_format=3),
    "floats, white is zero": gray_tiff([[-1.0, 0.5, 4000.0]], 32, sample_format=3, white_is_zero=True),
}


@pytest.fixture
def by_recipe(tmp_path):
    def run(content: bytes) -> np.ndarray:
        path = tmp_path / "picture"
        path.write_bytes(content)
        return decoding_recipe.decode(str(path))

    return run


@pytest.mark.parametrize(("name", "content"), odd_pictures().items(), ids=list(odd_pictures()))
def test_the_function_decodes_every_kind_of_file_as_the_commands_do(name, content, by_recipe):
    pixels = by_recipe(content)
    assert (pixels.dtype, pixels.shape[2]) == (np.uint8, 3)
    np.testing.assert_array_equal(pixels, decode(content))


@pytest.mark.parametrize("value_range", [None, (0.0, 4095.0), (3000.0, -5.0)])
@pytest.mark.parametrize("name", DEEP)
def test_gray_of_many_bits_has_the_same_levels(name, value_range, by_recipe, monkeypatch):
    monkeypatch.setattr(decoding_recipe, "VALUE_RANGE", value_range)
    np.testing.assert_array_equal(by_recipe(DEEP[name]), decode(DEEP[name], value_range=value_range))


@pytest.mark.parametrize("name", [pytest.param(name, marks=OPENCV_5) if name == "32 bits" else name for name in SIGNED])
def test_values_without_a_known_white_need_a_range(name, by_recipe, monkeypatch):
    with pytest.raises(ValueError, match="which values are black and white is not known"):
        by_recipe(SIGNED[name])
    with pytest.raises(BadData, match="black and white of its values"):
        decode(SIGNED[name])
    monkeypatch.setattr(decoding_recipe, "VALUE_RANGE", (0.0, 4095.0))
    np.testing.assert_array_equal(by_recipe(SIGNED[name]), decode(SIGNED[name], value_range=(0.0, 4095.0)))


def test_what_pillow_reads_otherwise_is_refused_not_guessed(by_recipe, monkeypatch):
    """It takes signed values of 8 bits for unsigned ones."""
    signed = gray_tiff([[-100, 0, 100]], 8, sample_format=2)
    monkeypatch.setattr(decoding_recipe, "VALUE_RANGE", (-128.0, 127.0))
    with pytest.raises(ValueError, match="save it with 8 or 16 bits"):
        by_recipe(signed)


def test_the_function_can_be_copied():
    """It names nothing but its own variables, Python's, those of its two libraries, and the range."""
    tree = ast.parse(inspect.getsource(decoding_recipe.decode))
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    loaded = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    builtin = {"str", "getattr", "ValueError"}
    assert loaded - stored - builtin == {"path", "Path", "np", "Image", "ImageOps", "VALUE_RANGE"}


@pytest.mark.parametrize("value_range", [None, (0.0, 4095.0)])
def test_the_steps_alone_lead_to_the_pixels(value_range, tmp_path):
    """A reader of the JSON who knows what its words mean, and has not seen the function."""
    recipe = json.loads(json.dumps(decoding_recipe.steps(value_range)))
    assert [step["step"] for step in recipe] == [
        *("open", "exif_transpose", "gray_levels", "invert", "composite", "convert")
    ]
    levels, composite = recipe[2], recipe[4]
    white = (2**16 - 1) if levels["white"] == "2**bits - 1" else levels["white"]
    contents = odd_pictures()
    values = np.asarray(Image.open(_file(tmp_path, contents["deep.png"])), float)
    expected = np.rint((values - levels["black"]) / (white - levels["black"]) * 255).clip(0, 255)
    np.testing.assert_array_equal(decode(contents["deep.png"], value_range=value_range)[..., 0], expected)
    rgba = np.asarray(Image.open(_file(tmp_path, contents["rgba.png"])), float)
    share = rgba[..., 3:] / 255
    on_background = rgba[..., :3] * share + np.array(composite["background"]) * (1 - share)
    np.testing.assert_allclose(decode(contents["rgba.png"]), on_background, atol=1)


def _file(folder, content):
    path = folder / "picture"
    path.write_bytes(content)
    return path
