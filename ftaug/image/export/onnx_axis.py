"""Resize and crop one image axis in ONNX's textual syntax.

ONNX's `Resize` of uint8 with antialiasing differs from Pillow by a gray level in few values, as its positions are
float32: in up to 4 % of them where many lie on halves, as they do at simple ratios. Where that matters, because an
image grows or the model's input is small, the graph has Pillow's weights of 22 bits instead, and multiplies integer
matrices. That is exact, but takes longer where images shrink: 1.3 to 2.2 times for inputs of 32 and 64 pixels, up to
six times for 224.
"""

from __future__ import annotations

MODES = {"bilinear": "linear", "bicubic": "cubic"}
"""ONNX's names of Pillow's filters."""

SUPPORT = {"bilinear": 1, "bicubic": 2}

SMALL = 64
"""Largest model input, in pixels of an axis, for which images shrink exactly, too."""

WEIGHTS = {
    "bilinear": """
$below = Sub ($unit, $x)
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
$near = Add ($near_4, $unit)
$far_1 = Sub ($x, $five)
$far_2 = Mul ($far_1, $x)
$far_3 = Add ($far_2, $eight)
$far_4 = Mul ($far_3, $x)
$far_5 = Sub ($far_4, $four)
$far = Mul ($far_5, $minus_half)
$is_near = Less ($x, $unit)
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
RESIZE
"""

CHOICE = """
$may_grow = GreaterOrEqual ($full, $length)
$grows = Squeeze ($may_grow)
$resized = If ($grows) <
  then_branch = $exact_branch () => (uint8[batch, 3, $rows, $columns] $exact) { EXACT },
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

EXACT = """
$zero = Constant <value = double {0.0}> ()
$half = Constant <value = double {0.5}> ()
$unit = Constant <value = double {1.0}> ()
$step = Constant <value = int64 {1}> ()
$first_axis = Constant <value = int64[1] {0}> ()
$axis = Constant <value = int64[1] {AXIS}> ()
$start = Squeeze ($first)
$end = Squeeze ($last)
$places = Range ($start, $end, $step)
$exact_places = Cast <to = 11> ($places)
$middles = Add ($exact_places, $half)
$exact_length = Cast <to = 11> ($length)
$exact_full = Cast <to = 11> ($full)
$scale = Div ($exact_length, $exact_full)
$width = Max ($scale, $unit)
$centers = Mul ($middles, $scale)
$support = Constant <value = double {SUPPORT}> ()
$reach = Mul ($width, $support)
$first_center = ReduceMin <keepdims = 1> ($centers)
$last_center = ReduceMax <keepdims = 1> ($centers)
$leftmost = Sub ($first_center, $reach)
$rightmost = Add ($last_center, $reach)
$leftmost_inside = Max ($leftmost, $zero)
$rightmost_inside = Min ($rightmost, $exact_length)
$rightmost_whole = Ceil ($rightmost_inside)
$from = Cast <to = 7> ($leftmost_inside)
$to = Cast <to = 7> ($rightmost_whole)
$seen = Slice (SOURCE, $from, $to, $axis)
$from_scalar = Squeeze ($from)
$to_scalar = Squeeze ($to)
$sources = Range ($from_scalar, $to_scalar, $step)
$exact_sources = Cast <to = 11> ($sources)
$source_middles = Add ($exact_sources, $half)
$column = Constant <value = int64[2] {-1, 1}> ()
$source_column = Reshape ($source_middles, $column)
$offsets = Sub ($source_column, $centers)
$distances = Abs ($offsets)
$narrowing = Div ($unit, $width)
$x = Mul ($distances, $narrowing)
WEIGHTS
$total = ReduceSum <keepdims = 1> ($weight, $first_axis)
$share = Div ($weight, $total)
$bits = Constant <value = double {4194304.0}> ()
$scaled = Mul ($share, $bits)
$scaled_and_half = Add ($scaled, $half)
$digits_0 = Floor ($scaled_and_half)
$base = Constant <value = double {128.0}> ()
$half_base = Constant <value = double {64.0}> ()
DIGITS
$digits = Concat <axis = 1> ($digit_0, $digit_1, $digit_2, $digits_3)
$digit_weights = Cast <to = 3> ($digits)
BEFORE
$products = MatMulInteger ($rows_to_sum, $digit_weights)
$sum_0, $sum_1, $sum_2, $sum_3 = Split <axis = 3, num_outputs = 4> ($products)
$whole_base = Constant <value = int32 {128}> ()
SUMS
$half_bits = Constant <value = int32 {2097152}> ()
$sum_and_half = Add ($sum_of_0, $half_bits)
$black = Constant <value = int32 {0}> ()
$positive = Max ($sum_and_half, $black)
$whole_bits = Constant <value = int32 {4194304}> ()
$level = Div ($positive, $whole_bits)
$white = Constant <value = int32 {255}> ()
$clipped = Min ($level, $white)
$levels = Cast <to = 2> ($clipped)
AFTERWARDS
"""
"""Pillow's resampling: the weights in float64, as integers of 22 bits, and as four digits of base 128 of one byte each.

The digits are from -64 to 63, so that no processor's products of bytes overflow 16 bits when it adds them in pairs.
"""

DIGIT = """
$up_NUMBER = Add ($digits_NUMBER, $half_base)
$parts_NUMBER = Div ($up_NUMBER, $base)
$digits_HIGHER = Floor ($parts_NUMBER)
$multiple_NUMBER = Mul ($digits_HIGHER, $base)
$digit_NUMBER = Sub ($digits_NUMBER, $multiple_NUMBER)
"""

SUM = """
$raised_NUMBER = Mul (HIGHER_SUM, $whole_base)
$sum_of_NUMBER = Add ($sum_NUMBER, $raised_NUMBER)
"""

LAST_AXIS = {
    2: ("$rows_to_sum = Transpose <perm = [0, 1, 3, 2]> ($seen)", "$exact = Transpose <perm = [0, 1, 3, 2]> ($levels)"),
    3: ("$rows_to_sum = Identity ($seen)", "$exact = Identity ($levels)"),
}
"""How an axis becomes the last one, which a product of matrices sums over, and comes back."""


def axis_resized(name: str, axis: int, source: str, interpolation: str, target: int) -> str:
    """Resize axis 2 (rows) or 3 (columns) from `image_size` to `full_size` and crop it, to `{name}_resized`.

    The crop has at most `target` pixels.
    """
    before, afterwards = LAST_AXIS[axis]
    exact = EXACT if target > SMALL else EXACT + "$resized = Identity ($exact)"
    words = {
        "RESIZE": CHOICE if target > SMALL else exact,
        "EXACT": exact,
        "SHRUNK": SHRUNK,
        "DIGITS": "".join(DIGIT.replace("NUMBER", str(n)).replace("HIGHER", str(n + 1)) for n in range(3)),
        "SUMS": "".join(
            SUM.replace("NUMBER", str(n)).replace("HIGHER_SUM", "$sum_3" if n == 2 else f"$sum_of_{n + 1}")
            for n in (2, 1, 0)
        ),
        "BEFORE": before,
        "AFTERWARDS": afterwards,
        "WEIGHTS": WEIGHTS[interpolation],
        "SUPPORT": f"{SUPPORT[interpolation]}.0",
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
