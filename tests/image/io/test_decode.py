"""Decoding against Pillow, and against what is stored in the file."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from ftaug.errors import BadData
from ftaug.image.io.decode import decode, opened, probe
from ftaug.image.io.picture import MAX_PIXELS, Picture
from ftaug.image.io.pillow import FORMATS

HEIGHT, WIDTH = 61, 83


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """Smooth colors with a sharp shape: upright in one way only."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    rgb = np.stack([3 * x, 4 * y, 128 + 60 * np.sin(x / 7) * np.cos(y / 5)], axis=-1)
    image = Image.fromarray(rgb.clip(0, 255).astype(np.uint8))
    ImageDraw.Draw(image).polygon([(5, 5), (40, 8), (12, 50)], fill=(250, 20, 90))
    return image


def encoded(image: Image.Image, format: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def by_pillow(data: bytes) -> np.ndarray:
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


def gray(values) -> np.ndarray:
    return np.repeat(np.asarray(values, np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("format", FORMATS)
def test_reads_every_format_as_pillow_does(picture, format):
    data = encoded(picture, format)
    pixels = decode(data)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    np.testing.assert_array_equal(pixels, by_pillow(data))
    assert probe(data) == (HEIGHT, WIDTH)


@pytest.mark.parametrize(
    "options",
    [
        {"quality": 90},
        {"progressive": True},
        {"subsampling": "4:4:4"},
        {"subsampling": "4:2:2"},
        {"restart_marker_rows": 1},
        {"optimize": True},
        {"keep_rgb": True},
        {"comment": b"\xff\xd9 not the end"},
    ],
    ids=str,
)
def test_jpeg_variants_have_the_pixels_of_pillow(picture, options):
    data = encoded(picture, "JPEG", **options)
    assert len(opened(data).scales) > 1, "takes the fast way"
    np.testing.assert_array_equal(decode(data), by_pillow(data))


def test_gray_jpeg_has_three_equal_channels(picture):
    data = encoded(picture.convert("L"), "JPEG")
    np.testing.assert_array_equal(decode(data), by_pillow(data))


@pytest.mark.parametrize("reduce", [2, 4, 8])
def test_jpeg_at_a_smaller_scale_is_pillows_draft(picture, reduce):
    data = encoded(picture, "JPEG", quality=95)
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (WIDTH // reduce, HEIGHT // reduce))
    expected = np.asarray(image)
    assert expected.shape[0] == -(-HEIGHT // reduce)
    np.testing.assert_array_equal(decode(data, reduce), expected)


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
@pytest.mark.parametrize(
    ("options", "mode"),
    [
        ({"subsampling": "4:2:0"}, "RGB"),
        ({"subsampling": "4:2:0", "optimize": True, "quality": 97}, "RGB"),
        ({"subsampling": "4:2:2"}, "RGB"),
        ({"subsampling": "4:4:4"}, "RGB"),
        ({"progressive": True}, "RGB"),
        ({"restart_marker_rows": 1}, "RGB"),
        ({"keep_rgb": True}, "RGB"),
        ({}, "L"),
    ],
)
def test_the_first_rows_of_a_jpeg_are_those_of_all_of_it(options, mode, scale, capfd):
    """However few are asked for. On some kinds of file all rows are decoded, and on none does the decoder complain."""
    pixels = np.random.default_rng(4).integers(256, size=(331, 47, 3)).astype(np.uint8)
    data = encoded(Image.fromarray(pixels).convert(mode), "JPEG", **options)
    _has_the_rows_of_all(opened(data), scale)
    assert capfd.readouterr().err == ""
    plain = not {"progressive", "restart_marker_rows"} & set(options)
    assert (len(opened(data).top(scale, 1)) < len(opened(data).load(scale))) == plain


@pytest.mark.parametrize("scale", [1, 2, 4, 8])
@pytest.mark.parametrize("sampling", [cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440])
def test_the_first_rows_of_a_jpeg_with_rare_sampling_are_those_of_all_of_it(sampling, scale, capfd):
    pixels = np.random.default_rng(4).integers(256, size=(200, 47, 3)).astype(np.uint8)
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling])[1].tobytes()
    _has_the_rows_of_all(opened(data), scale)
    assert capfd.readouterr().err == ""


def _has_the_rows_of_all(jpeg: Picture, scale: int) -> None:
    whole = jpeg.load(scale)
    for rows in range(1, len(whole) + 1):
        top = jpeg.top(scale, rows)
        assert len(top) >= rows
        np.testing.assert_array_equal(top[:rows], whole[:rows])


@pytest.mark.parametrize("behind", [b"\0" * 9, b"more\xff\xd9"])
def test_what_lies_behind_a_jpeg_does_not_make_the_decoder_complain(picture, behind, capfd):
    data = encoded(picture.resize((40, 300)), "JPEG")
    expected = by_pillow(data)
    if b"more" in behind:  # as cameras do it: a second picture, which the header of the first one announces
        data = data[:2] + b"\xff\xe2\x00\x0aMPF\0II*\0" + data[2:]
    data += behind
    np.testing.assert_array_equal(opened(data).top(1, 20)[:20], expected[:20])
    assert capfd.readouterr().err == ""


def test_other_formats_at_a_smaller_scale_are_means_of_boxes():
    pixels = np.random.default_rng(0).integers(256, size=(9, 14, 3), dtype=np.uint8)
    small = decode(encoded(Image.fromarray(pixels), "PNG"), 2)
    assert small.shape == (5, 7, 3)
    np.testing.assert_allclose(small[0, 0], pixels[:2, :2].mean((0, 1)), atol=0.51)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(picture, format, orientation):
    """The stored pixels are turned backwards from an upright picture, so that all eight files show the same."""
    back = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.swapaxes(0, 1),
        6: np.rot90,
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    upright = np.asarray(picture.resize((80, 64)))
    stored = Image.fromarray(np.ascontiguousarray(back(upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 100, "subsampling": 0} if format == "JPEG" else {"lossless": True} if format == "WEBP" else {}
    data = encoded(stored, format, exif=exif, **options)
    assert probe(data) == upright.shape[:2]
    np.testing.assert_allclose(decode(data).astype(int), upright, atol=6 if format == "JPEG" else 0)
    half = np.asarray(Image.fromarray(upright).reduce(2))
    assert np.abs(decode(data, 2).astype(int) - half).mean() < 3


def test_orientation_in_xmp_counts_where_exif_has_none(picture):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    data = encoded(picture, "JPEG", xmp=xmp)
    np.testing.assert_array_equal(decode(data), by_pillow(data))
    assert probe(data) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    "exif",
    [
        b"",
        b"II*\0",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"JUNK" * 9,
        b"II*\0\x08\0\0\0\x01\0\x12\x01",
    ],
)
def test_broken_exif_does_not_cost_the_picture(picture, exif):
    plain = encoded(picture, "JPEG")
    body = b"Exif\0\0" + exif
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]
    np.testing.assert_array_equal(decode(data), decode(plain))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "code", "turned"), [(1, "B", False), (3, "H", True), (4, "I", True)])
def test_an_orientation_counts_if_its_type_does_for_pillow(picture, order, kind, code, turned):
    entry = struct.pack(order + "HHI", 0x0112, kind, 1) + struct.pack(order + code, 6).ljust(4, b"\0")
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, 1)
    plain, body = encoded(picture, "JPEG"), b"Exif\0\0" + head + entry + b"\0\0\0\0"
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]
    np.testing.assert_array_equal(decode(data), by_pillow(data))
    assert probe(data) == ((WIDTH, HEIGHT) if turned else (HEIGHT, WIDTH))


def test_alpha_is_laid_on_white(picture):
    half = np.dstack([np.asarray(picture), np.full((HEIGHT, WIDTH), 128, np.uint8)])
    half[:10, :, 3] = 0
    half[50:, :, 3] = 255
    pixels = decode(encoded(Image.fromarray(half), "PNG")).astype(float)
    alpha = half[..., 3:] / 255
    np.testing.assert_allclose(pixels, half[..., :3] * alpha + 255 * (1 - alpha), atol=1)
    assert (pixels[:10] == 255).all()


def test_gray_with_alpha_is_laid_on_white():
    image = Image.new("LA", (4, 3), (100, 0))
    image.putpixel((1, 1), (100, 255))
    pixels = decode(encoded(image, "PNG"))
    assert (pixels[0, 0] == 255).all()
    assert (pixels[1, 1] == 100).all()


def test_palette_with_a_transparent_color():
    image = Image.new("P", (4, 3), 0)
    image.putpalette([200, 30, 60, 10, 20, 30])
    image.putpixel((2, 1), 1)
    for format in ("PNG", "GIF"):
        pixels = decode(encoded(image, format, transparency=0))
        assert (pixels[0, 0] == 255).all()
        assert pixels[1, 2].tolist() == [10, 20, 30]


def test_a_color_key_is_transparent():
    image = Image.new("RGB", (4, 3), (1, 2, 3))
    image.putpixel((2, 1), (9, 8, 7))
    pixels = decode(encoded(image, "PNG", transparency=(1, 2, 3)))
    assert (pixels[0, 0] == 255).all()
    assert pixels[1, 2].tolist() == [9, 8, 7]


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP"])
def test_one_bit_is_black_and_white(format):
    bits = np.random.default_rng(1).random((5, 7)) > 0.5
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(bits), format)), gray(bits * 255))


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(format):
    values = np.linspace(0, 65535, 256 * 4).reshape(32, 32).astype(np.uint16)
    expected = gray(np.rint(values / 257))
    np.testing.assert_array_equal(decode(encoded(Image.fromarray(values), format)), expected)


def test_cmyk_jpeg_has_the_colors_of_pillow(picture):
    data = encoded(picture.convert("CMYK"), "JPEG", quality=95)
    np.testing.assert_array_equal(decode(data), by_pillow(data))
    assert np.abs(decode(data).astype(int) - np.asarray(picture)).mean() < 8, "not inverted"


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_frame_of_many(format):
    frames = [Image.new("RGB", (8, 6), color) for color in ("red", "lime", "blue")]
    options = {"lossless": True} if format == "WEBP" else {}
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:], **options)
    assert Image.open(io.BytesIO(data)).n_frames == 3
    assert (decode(data) == [255, 0, 0]).all()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("format", FORMATS)
def test_a_file_cut_short_is_refused(picture, format, share):
    data = encoded(picture, format)
    with pytest.raises(BadData, match=r"truncated|not a picture"):
        decode(data[: int(len(data) * share)])


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_jpeg_cut_short_is_refused_at_every_scale(picture, share, progressive):
    data = encoded(picture.resize((800, 600)), "JPEG", progressive=progressive)
    for reduce in (1, 8):
        with pytest.raises(BadData, match="truncated JPEG"):
            decode(data[: int(len(data) * share)], reduce)


def test_a_thumbnail_does_not_hide_that_a_jpeg_is_cut_short(picture):
    """The thumbnail in the header has an end marker of its own."""
    plain = encoded(picture, "JPEG")
    body = b"Exif\0\0II*\0" + encoded(picture.resize((16, 12)), "JPEG")
    data = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]
    np.testing.assert_array_equal(decode(data), decode(plain))
    with pytest.raises(BadData, match="truncated JPEG"):
        decode(data[: len(data) - len(plain) // 3])


def test_bytes_after_the_end_do_not_matter(picture):
    data = encoded(picture, "JPEG")
    np.testing.assert_array_equal(decode(data + b"\0" * 999), decode(data))


@pytest.mark.parametrize(
    "data",
    [b"<html>", b"%PDF-1.7\n", b"%!PS-Adobe-3.0 EPSF", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\0" * 50],
)
def test_what_is_not_a_picture_is_refused(data):
    with pytest.raises(BadData, match=r"not a picture: it begins with .*; supported: JPEG, PNG, WEBP, BMP, TIFF, GIF"):
        decode(data)


def test_formats_beyond_the_list_are_refused(picture):
    for format in ("PPM", "TGA", "ICO", "JPEG2000"):
        with pytest.raises(BadData, match="picture"):
            decode(encoded(picture, format))


def test_an_empty_file_is_refused():
    with pytest.raises(BadData, match="empty"):
        decode(b"")


def png_of_size(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(("width", "height"), [(30000, 30000), (MAX_PIXELS // 1000 + 1, 1000), (9000, 10000)])
def test_a_bomb_is_refused_from_its_header(picture, width, height):
    data = encoded(picture, "JPEG")
    at = data.index(b"\xff\xc0") + 5
    jpeg = data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]
    for bomb in (png_of_size(width, height), jpeg):
        with pytest.raises(BadData, match="megapixels"):
            decode(bomb)


@pytest.mark.parametrize(("width", "height"), [(0, 5), (5, 0), (0, 0)])
def test_a_picture_without_pixels_is_refused(width, height):
    with pytest.raises(BadData, match=f"an empty picture: {width}×{height}"):
        decode(png_of_size(width, height))


@pytest.mark.parametrize("size", [(1, 1), (1, 20000), (20000, 1), (7, 9)])
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_extreme_shapes(size, format):
    data = encoded(Image.new("RGB", size, (90, 90, 90)), format)
    for reduce in (1, 8):
        height, width = -(-size[1] // reduce), -(-size[0] // reduce)
        assert decode(data, reduce).shape == (height, width, 3)


@pytest.mark.parametrize("format", FORMATS)
def test_damaged_files_give_a_picture_or_bad_data(picture, format):
    rng = np.random.default_rng(3)
    data = encoded(picture, format)
    outcomes = set()
    for _ in range(60):
        damaged = bytearray(data)
        for at in rng.integers(len(data), size=4):
            damaged[at] = rng.integers(256)
        try:
            pixels = decode(bytes(damaged))
            outcomes.add(pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3)
        except BadData:
            outcomes.add(True)
    assert outcomes == {True}


def test_pixels_pass_through():
    rng = np.random.default_rng(0)
    rgb, one = rng.integers(256, size=(4, 5, 3), dtype=np.uint8), rng.integers(256, size=(4, 5), dtype=np.uint8)
    np.testing.assert_array_equal(opened(rgb).load(1), rgb)
    np.testing.assert_array_equal(opened(one).load(1), gray(one))


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros(4, np.uint8)]
)
def test_other_arrays_are_refused(pixels):
    with pytest.raises(BadData):
        opened(pixels)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
def test_a_png_with_a_wrong_byte_is_refused_or_whole(mode):
    """Never black, or another picture: what Pillow refuses is refused here, whichever byte it is."""
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    whole = encoded(Image.fromarray(pixels).convert(mode), "PNG")
    expected = decode(whole)
    for at in range(len(whole)):
        data = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        try:
            Image.open(io.BytesIO(data), formats=FORMATS).load()
            fine = True
        except Exception:
            fine = False
        try:
            found = decode(data)
        except BadData:
            continue
        assert fine, at
        assert found.shape != expected.shape or found.any() or not expected.any(), at
