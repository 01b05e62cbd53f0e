"""Resize and crop one image axis in ONNX's textual syntax.

Downscaling is ONNX's `Resize` of uint8 with antialiasing, which differs from Pillow by a gray level in few pixels. For
upscaling it would differ more: `Resize` has float32 positions, and small images grow by ratios whose values lie on
halves, as from 28 to 32, where that decides the rounding. So its few taps are written out, with Pillow's weights of 22
bits, and only for the rows or columns of the crop.
"""

from __future__ import annotations

MODES = {"bilinear": "linear", "bicubic": "cubic"}
"""ONNX's names of Pillow's filters."""

SUPPORT = {"bilinear": 1, "bicubic": 2}

WEIGHTS = {
    "bilinear": """
$below = Sub ($one_exact, $x)
$weight = Max ($below, $zero)
""",
    "bicubic": """
$three_halves = Constant <value = double {1.5}> ()
$five_halves = Constant <value = double {2.5}> ()
$five = Constant <value = double {5.0}> ()
$eight = Constant <value = double {8.0}> ()
$four = Constant <value = double {4.0}> ()
$two = Constant <value = double {2.0}> ()
$minus_half = Constant <value = double {-0.5}> ()
$near_1 = Mul ($x, $three_halves)
$near_2 = Sub ($near_1, $five_halves)
$near_3 = Mul ($near_2, $x)
$near_4 = Mul ($near_3, $x)
$near = Add ($near_4, $one_exact)
$far_1 = Sub ($x, $five)
$far_2 = Mul ($far_1, $x)
$far_3 = Add ($far_2, $eight)
$far_4 = Mul ($far_3, $x)
$far_5 = Sub ($far_4, $four)
$far = Mul ($far_5, $minus_half)
$is_near = Less ($x, $one_exact)
$is_far = Less ($x, $two)
$far_or_none = Where ($is_far, $far, $zero)
$weight = Where ($is_near, $near, $far_or_none)
""",
}
"""Pillow's filter weights at a distance `$x`, in float64."""

AXIS = """
$index = Constant <value = int64[1] {INDEX}> ()
$length = Gather <axis = 0> (image_size, $index)
$full = Gather <axis = 0> (full_size, $index)
$first = Gather <axis = 0> (start, $index)
$last = Gather <axis = 0> (end, $index)
$may_grow = GreaterOrEqual ($full, $length)
$grows = Squeeze ($may_grow)
$resized = If ($grows) <
  then_branch = $grown_branch () => (uint8[batch, 3, $rows, $columns] $grown) { GROWN },
  else_branch = $shrunk_branch () => (uint8[batch, 3, $rows, $columns] $shrunk) { SHRUNK }
>
"""

SHRUNK = """
$before = Shape <start = 0, end = AXIS> (SOURCE)
$after = Shape <start = AFTER, end = 4> (SOURCE)
$shape = Concat <axis = 0> ($before, $full, $after)
$whole = Resize <mode = "MODE", antialias = 1, coordinate_transformation_mode = "half_pixel",
  cubic_coeff_a = -0.5, exclude_outside = 1> (SOURCE, , , $shape)
$axis = Constant <value = int64[1] {AXIS}> ()
$shrunk = Slice ($whole, $first, $last, $axis)
"""

GROWN = """
$zero = Constant <value = double {0.0}> ()
$half = Constant <value = double {0.5}> ()
$one_exact = Constant <value = double {1.0}> ()
$step = Constant <value = int64 {1}> ()
$start = Squeeze ($first)
$end = Squeeze ($last)
$places = Range ($start, $end, $step)
$exact_places = Cast <to = 11> ($places)
$middles = Add ($exact_places, $half)
$exact_length = Cast <to = 11> ($length)
$exact_full = Cast <to = 11> ($full)
$scale = Div ($exact_length, $exact_full)
$centers = Mul ($middles, $scale)
$reach = Constant <value = double {REACH}> ()
$leftmost = Sub ($centers, $reach)
$leftmost_whole = Floor ($leftmost)
$leftmost_inside = Max ($leftmost_whole, $zero)
$taps = Constant <value = double[TAPS, 1] {TAP_NUMBERS}> ()
$sources = Add ($leftmost_inside, $taps)
$distance = Sub ($sources, $centers)
$distance_of_middle = Add ($distance, $half)
$x = Abs ($distance_of_middle)
WEIGHTS
$inside = Less ($sources, $exact_length)
$weight_inside = Where ($inside, $weight, $zero)
$first_axis = Constant <value = int64[1] {0}> ()
$total = ReduceSum <keepdims = 1> ($weight_inside, $first_axis)
$share = Div ($weight_inside, $total)
$bits = Constant <value = double {4194304.0}> ()
$scaled = Mul ($share, $bits)
$scaled_and_half = Add ($scaled, $half)
$rounded = Floor ($scaled_and_half)
$whole_weights = Cast <to = 6> ($rounded)
$weights_shape = Constant <value = int64[WEIGHTS_SHAPE> ()
$weights = Reshape ($whole_weights, $weights_shape)
$whole_sources = Cast <to = 7> ($sources)
$last_source = Sub ($length, $step)
$sources_inside = Min ($whole_sources, $last_source)
$seen = Gather <axis = AXIS> (SOURCE, $sources_inside)
$levels = Cast <to = 6> ($seen)
$weighted = Mul ($levels, $weights)
$tap_axis = Constant <value = int64[1] {AXIS}> ()
$sum = ReduceSum <keepdims = 0> ($weighted, $tap_axis)
$half_bits = Constant <value = int32 {2097152}> ()
$sum_and_half = Add ($sum, $half_bits)
$black = Constant <value = int32 {0}> ()
$positive = Max ($sum_and_half, $black)
$whole_bits = Constant <value = int32 {4194304}> ()
$level = Div ($positive, $whole_bits)
$white = Constant <value = int32 {255}> ()
$clipped = Min ($level, $white)
$grown = Cast <to = 2> ($clipped)
"""
"""Pillow's resampling for upscaling, where the filter keeps its width: in float64, then in integers."""


def axis_resized(name: str, axis: int, source: str, interpolation: str) -> str:
    """Resize axis 2 (rows) or 3 (columns) from `image_size` to `full_size` and crop it, to `{name}_resized`."""
    support = SUPPORT[interpolation]
    taps = 2 * support + 1
    words = {
        "GROWN": GROWN,
        "SHRUNK": SHRUNK,
        "TAP_NUMBERS": ", ".join(f"{tap}.0" for tap in range(taps)),
        "WEIGHTS_SHAPE": f"3] {{{taps}, -1, 1}}" if axis == 2 else f"2] {{{taps}, -1}}",
        "WEIGHTS": WEIGHTS[interpolation],
        "TAPS": str(taps),
        "REACH": str(support - 0.5),
        "MODE": MODES[interpolation],
        "SOURCE": source,
        "INDEX": str(axis - 2),
        "AFTER": str(axis + 1),
        "AXIS": str(axis),
        "$": f"{name}_",
    }
    text = AXIS
    for word, value in words.items():
        text = text.replace(word, value)
    return text
