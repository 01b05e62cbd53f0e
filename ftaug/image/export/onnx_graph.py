"""Evaluation preprocessing as an ONNX graph: from decoded images of any size to the model's input.

Equivalent to `evaluation.evaluated`, with the same integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftaug.errors import ExperimentError
from ftaug.image.evaluation import needs_padding, padding_color
from ftaug.image.export.onnx_axis import MODES, axis_resized
from ftaug.image.preprocessing import box_of

INPUT, OUTPUT = "images", "pixels"


def graph(preprocessing: Mapping[str, Any], opset: int) -> str:
    """Return a model in ONNX's textual syntax, from uint8 (batch, height, width, 3) to (batch, 3, *size).

    Raises ExperimentError for a filter that ONNX does not have.
    """
    interpolation = preprocessing.get("interpolation", "bilinear")
    if interpolation not in MODES:
        raise ExperimentError(
            f"ONNX has no antialiased resize with the filter {interpolation!r}; it has {' and '.join(MODES)}; "
            "use input: pixels, and resize before the model"
        )
    height, width = preprocessing["size"]
    pads = needs_padding(preprocessing)
    lines = [
        *_constants(preprocessing),
        *([_integers("one", [1])] if pads else []),
        *_resized_size(preprocessing),
        *_crop(),
        f"channels_first = Transpose <perm = [0, 3, 1, 2]> ({INPUT})",
        *axis_resized("columns", 3, "channels_first", interpolation, width).splitlines(),
        *axis_resized("rows", 2, "columns_resized", interpolation, height).splitlines(),
        *(_pad(preprocessing) if pads else [f"{OUTPUT} = Identity (rows_resized)"]),
    ]
    header = f'<ir_version: 10, opset_import: ["" : {opset}]>'
    signature = f"(uint8[batch, height, width, 3] {INPUT}) => (uint8[batch, 3, {height}, {width}] {OUTPUT})"
    return "\n".join([header, f"preprocessing {signature} {{", *(f"  {line}" for line in lines), "}"])


def _constants(preprocessing: Mapping[str, Any]) -> list[str]:
    return [
        _integers("target", preprocessing["size"]),
        _integers("two", [2]),
        f"image_size = Shape <start = 1, end = 3> ({INPUT})",
    ]


def _integers(name: str, values: Sequence[int]) -> str:
    return f"{name} = Constant <value = int64[{len(values)}] {{{', '.join(map(str, values))}}}> ()"


def _resized_size(preprocessing: Mapping[str, Any]) -> list[str]:
    """Compute `full_size`, the height and width before the crop, as `evaluation.resized_size` does."""
    mode, resize = preprocessing.get("crop_mode", "center"), preprocessing.get("resize")
    if mode == "center" and resize:
        return [
            _integers("shorter_side", [resize, resize]),
            "shorter_length = ReduceMin <keepdims = 1> (image_size)",
            "scaled = Mul (image_size, shorter_side)",
            "rounded_down = Div (scaled, shorter_length)",
            "full_size = Max (rounded_down, shorter_side)",
        ]
    if mode != "border":
        return [_integers("full_size", box_of(preprocessing))]
    return [
        _integers("box", box_of(preprocessing)),
        "lengths = Cast <to = 11> (image_size)",
        "box_lengths = Cast <to = 11> (box)",
        "ratios = Div (lengths, box_lengths)",
        "ratio = ReduceMax <keepdims = 1> (ratios)",
        "fitted = Div (lengths, ratio)",
        "rounded = Round (fitted)",
        "rounded_size = Cast <to = 7> (rounded)",
        "full_size = Max (rounded_size, one)",
    ]


def _crop() -> list[str]:
    """Compute the center crop, as large as the model's input or the image: `start`, `end`."""
    return [
        "shown = Min (full_size, target)",
        "beside = Sub (full_size, shown)",
        *_half_to_even("start", "beside"),
        "end = Add (start, shown)",
    ]


def _half_to_even(name: str, of: str) -> list[str]:
    """Halve a number, rounding half to even, as Python's `round` does."""
    return [
        f"{name}_doubled = Cast <to = 11> ({of})",
        f"{name}_two = Cast <to = 11> (two)",
        f"{name}_half = Div ({name}_doubled, {name}_two)",
        f"{name}_rounded = Round ({name}_half)",
        f"{name} = Cast <to = 7> ({name}_rounded)",
    ]


def _pad(preprocessing: Mapping[str, Any]) -> list[str]:
    """Pad the crop on all sides to the model's input with the padding color."""
    color = ", ".join(map(str, padding_color(preprocessing)))
    return [
        _integers("axes", [2, 3]),
        "missing = Sub (target, shown)",
        "before = Div (missing, two)",
        "after = Sub (missing, before)",
        "pads = Concat <axis = 0> (before, after)",
        "padded = Pad (rows_resized, pads, , axes)",
        "one_channel = Concat <axis = 0> (one, one, shown)",
        "inside = ConstantOfShape <value = uint8[1] {1}> (one_channel)",
        "padded_inside = Pad (inside, pads, , axes)",
        "is_inside = Cast <to = 9> (padded_inside)",
        f"color = Constant <value = uint8[1, 3, 1, 1] {{{color}}}> ()",
        f"{OUTPUT} = Where (is_inside, padded, color)",
    ]
