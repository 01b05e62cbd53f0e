"""Source of the exported inference scripts: read, resize and crop images with Pillow and NumPy only.

The source of `fit` is copied unchanged.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from ftaug.image.export.decoding_recipe import decode, steps
from ftaug.image.io.grayscale import ValueRange
from ftaug.interfaces.export import Reading, ScriptSource

IMPORTS = ("import numpy as np", "from PIL import Image, ImageOps")
BATCHES = {
    "images": '{"images": decode(path)[None]}',
    "sample": "Image.fromarray(decode(path))",
    "pixels": '{"pixels": fit(decode(path), metadata["preprocessing"]).transpose(2, 0, 1)[None]}',
}
"""Expression that `read` yields for an image, by the name of the exported model's input."""


def read_by_pillow(value_range: ValueRange | None) -> Reading:
    """Return the decoding steps and the script source that implements them."""
    return Reading(steps(value_range), partial(_source, value_range))


def _source(value_range: ValueRange | None, input_name: str) -> ScriptSource:
    fitting = f"{_without_types(fit)}\n\n" if input_name == "pixels" else ""
    code = (
        f"VALUE_RANGE = {value_range}  # black and white where gray has more than 8 bits; None: by their number\n\n\n"
        f"{_without_types(decode)}\n\n"
        f"{fitting}"
        "def read(path):\n"
        '    """Yield the picture in a file, and the inputs of a batch of one."""\n'
        f"    yield path, {BATCHES[input_name]}\n"
    )
    return ScriptSource(IMPORTS, ("numpy", "pillow"), code, "PICTURE")


def _without_types(function: Callable[..., Any]) -> str:
    """Return the source of a function without type annotations."""
    _, _, body = inspect.getsource(function).partition("\n")
    return f"def {function.__name__}({', '.join(inspect.signature(function).parameters)}):\n{body}"


def fit(pixels: np.ndarray, preprocessing: dict[str, Any]) -> np.ndarray:
    """Resize, and crop or pad, RGB pixels to the size that the model takes: uint8 (height, width, 3)."""
    image = Image.fromarray(pixels)
    width, height = target = preprocessing["size"][::-1]
    mode, resize = preprocessing.get("crop_mode", "center"), preprocessing["resize"]
    shorter = resize or min(target)
    box = [side * shorter // min(target) for side in target]
    if mode == "border":
        ratio = max(image.width / box[0], image.height / box[1])
        full = [max(1, round(side / ratio)) for side in image.size]
    elif mode == "squash" or resize is None:
        full = box
    else:
        full = [side * shorter // min(image.size) for side in image.size]
    shown_width, shown_height = shown = [min(sides) for sides in zip(full, target, strict=True)]
    left, top = (round((side - seen) / 2) for side, seen in zip(full, shown, strict=True))
    filter = Image.Resampling[preprocessing["interpolation"].upper()]
    image = image.resize((full[0], image.height), filter).resize(full, filter)  # Pillow alone may take rows last
    image = image.crop((left, top, left + shown_width, top + shown_height))
    color = [round(255 * mean) for mean in preprocessing["mean"]] if mode == "border" else [0, 0, 0]
    canvas = Image.new("RGB", (width, height), tuple(color))
    canvas.paste(image, ((width - shown_width) // 2, (height - shown_height) // 2))
    return np.asarray(canvas)
