import io
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from ftaug.errors import BadData
from ftaug.image.datasets.arrays import ArraySamples
from ftaug.image.packed_file import packed_file
from ftaug.interfaces.data import Shrink, Task


@dataclass
class Files:
    """Samples with a file each."""

    files: dict[str, bytes]

    def key(self, index):
        return [*self.files][index]

    def content(self, index):
        return self.files[self.key(index)]

    read = content


def picture(width, height, format="JPEG", **options):
    rows = np.linspace(0, 255, height)[:, None, None] * np.ones((1, width, 3))
    content = io.BytesIO()
    Image.fromarray(rows.astype(np.uint8)).save(content, format, **options)
    return content.getvalue()


def opened(content):
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(("name", "format"), [("1.JPG", "JPEG"), ("2.png", "PNG"), ("3.webp", "WEBP")])
def test_large_pictures_are_reduced_to_jpeg_and_small_ones_copied(name, format):
    samples = Files({name: picture(800, 600, format)})
    content, suffix = packed_file(samples, 0, Shrink(100, 92))
    assert suffix == ".jpg" and opened(content).format == "JPEG" and opened(content).size == (133, 100)
    expected = opened(samples.content(0)).convert("RGB").resize((133, 100), Image.Resampling.BOX)
    assert np.abs(np.asarray(opened(content), np.int16) - np.asarray(expected, np.int16)).max() <= 8
    for shrink in (None, Shrink(600, 92)):
        assert packed_file(samples, 0, shrink) == (samples.content(0), name[1:])


def test_the_result_is_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    content, _ = packed_file(Files({"1.jpg": picture(800, 600, exif=exif)}), 0, Shrink(60, 92))
    assert opened(content).size == (60, 80) and not opened(content).getexif()
    pixels = np.asarray(opened(content), np.int16)
    assert pixels[:, -1].mean() < 30 and pixels[:, 0].mean() > 220  # the top of the stored picture is on the right


def test_a_lower_quality_takes_fewer_bytes():
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    sizes = [len(packed_file(Files({"1.png": file.getvalue()}), 0, Shrink(100, quality))[0]) for quality in (50, 95)]
    assert sizes[0] < sizes[1] / 2


def test_pictures_in_memory_become_png_files():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 9), np.uint8)
    samples = ArraySamples("noise", pixels, np.arange(2), Task(("a", "b")), np.arange(2), "digest")
    content, suffix = packed_file(samples, 1, None)
    assert suffix == ".png" and np.array_equal(np.asarray(opened(content))[..., 0], pixels[1])


def test_a_broken_picture_is_copied_unless_it_is_to_be_resized():
    samples = Files({"1.jpg": b"no picture"})
    assert packed_file(samples, 0, None) == (b"no picture", ".jpg")
    with pytest.raises(BadData, match="not a picture"):
        packed_file(samples, 0, Shrink(10, 92))
