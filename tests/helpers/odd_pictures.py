"""Picture files of every kind that users have: formats, modes, depths, orientations and shapes."""

import io

import numpy as np
from PIL import Image, ImageDraw


def photo(height: int, width: int) -> Image.Image:
    """Waves with noise and a sharp shape: upright in one way only."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 120 * np.sin(x / 9 + y / 31), 127 + 120 * np.cos(y / 7), 128 + 60 * np.sin(x / 7) * np.cos(y / 5)]
    noise = np.random.default_rng(0).normal(0, 12, (height, width, 3))
    image = Image.fromarray((np.stack(waves, -1) + noise).clip(0, 255).astype(np.uint8))
    ImageDraw.Draw(image).polygon([(0, 0), (width * 0.7, height * 0.2), (width * 0.3, height * 0.8)], (250, 20, 90))
    return image


def encoded(image: Image.Image, format: str, **options) -> bytes:
    """The image as a file's content."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def orientation(number: int) -> Image.Exif:
    """An EXIF block that says only how the picture is turned."""
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


def odd_pictures() -> dict[str, bytes]:
    """Contents of files by their names."""
    rgb = photo(61, 83)
    gray, bits, palette = rgb.convert("L"), rgb.convert("1"), rgb.quantize(64)
    alpha = Image.linear_gradient("L").resize(rgb.size)
    rgba, gray_alpha = rgb.copy(), gray.convert("LA")
    rgba.putalpha(alpha)
    gray_alpha.putalpha(alpha)
    deep = Image.fromarray(np.linspace(0, 65535, 61 * 83).reshape(61, 83).astype(np.uint16))
    frames = [photo(20, 30), photo(20, 30).rotate(180)]
    return {
        **{f"exif{n}.jpg": encoded(rgb, "JPEG", exif=orientation(n)) for n in range(1, 9)},
        **{f"exif{n}.tiff": encoded(gray, "TIFF", tiffinfo={274: n}) for n in (3, 6)},
        **{f"exif{n}_deep.tiff": encoded(deep, "TIFF", tiffinfo={274: n}) for n in (5, 8)},
        "exif6.png": encoded(rgb, "PNG", exif=orientation(6)),
        "exif6.webp": encoded(rgb, "WEBP", exif=orientation(6)),
        "exif6_cmyk.jpg": encoded(rgb.convert("CMYK"), "JPEG", exif=orientation(6)),
        "444.jpg": encoded(rgb, "JPEG", subsampling="4:4:4"),
        "422_quality_10.jpg": encoded(rgb, "JPEG", subsampling="4:2:2", quality=10),
        "progressive.jpg": encoded(rgb, "JPEG", progressive=True),
        "gray.jpg": encoded(gray, "JPEG"),
        "cmyk.jpg": encoded(rgb.convert("CMYK"), "JPEG"),
        "rgb.jpg": encoded(rgb, "JPEG", keep_rgb=True),
        "large.jpg": encoded(photo(700, 900), "JPEG"),
        "panorama.jpg": encoded(photo(40, 1500), "JPEG"),
        "portrait.png": encoded(photo(400, 31), "PNG"),
        "tiny.png": encoded(photo(2, 3), "PNG"),
        "tiny.jpg": encoded(photo(3, 2), "JPEG"),
        "rgb.png": encoded(rgb, "PNG"),
        "rgba.png": encoded(rgba, "PNG"),
        "rgba.webp": encoded(rgba, "WEBP"),
        "rgba.tiff": encoded(rgba, "TIFF"),
        "gray.png": encoded(gray, "PNG"),
        "gray_alpha.png": encoded(gray_alpha, "PNG"),
        "gray_color_key.png": encoded(gray, "PNG", transparency=int(np.asarray(gray)[5, 5])),
        "palette.png": encoded(palette, "PNG"),
        "palette_transparent.png": encoded(palette, "PNG", transparency=3),
        "palette_alpha.png": encoded(palette, "PNG", transparency=bytes(range(0, 256, 4))),
        "palette.gif": encoded(palette, "GIF"),
        "palette_transparent.gif": encoded(palette, "GIF", transparency=3),
        "palette.bmp": encoded(palette, "BMP"),
        "frames.gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "bits.png": encoded(bits, "PNG"),
        "bits.tiff": encoded(bits, "TIFF", compression="group4"),
        "deep.png": encoded(deep, "PNG"),
        "deep.tiff": encoded(deep, "TIFF"),
        "rgb.bmp": encoded(rgb, "BMP"),
        "rgb.tiff": encoded(rgb, "TIFF"),
        "cmyk.tiff": encoded(rgb.convert("CMYK"), "TIFF"),
        "lossy.webp": encoded(rgb, "WEBP"),
        "lossless.webp": encoded(rgb, "WEBP", lossless=True),
    }
