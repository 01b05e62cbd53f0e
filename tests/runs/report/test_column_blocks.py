"""Tables in narrow windows: nothing is cut."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from ftaug.runs.report.column_blocks import ColumnBlocks, Width, blocks, fit, wrap

HEADINGS = ("class", "samples", "precision", "recall", "a remark about the class")
ROWS = [
    ("cat", "1,234", "0.986 0.93–1.00", "0.500 0.41–0.59", "few samples: its interval is rough, and no test is made"),
    ("average_precision_of_all_classes", "12", "0.9 0.8–1.0", "–", ""),
    ("犬の写真", "7", "", "", "x"),
]


def lines(width, rows=ROWS):
    out = io.StringIO()
    table = ColumnBlocks(HEADINGS, rows, (False, True, True, True, False))
    Console(file=out, width=width).print(table, crop=False)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [200, 120, 80, 60, 45])
def test_numbers_and_names_are_whole_at_any_width(width):
    shown = lines(width)
    assert max(map(cell_len, shown)) <= width
    text = "\n".join(shown)
    assert "…" not in text
    for row in ROWS:
        assert all(cell in text for cell in row[1:4])
    for piece in ("average_", "precision_", "classes", "犬の写真"):
        assert any(piece in line for line in shown)
    words = {word for line in shown for word in line.split()}
    assert {"few", "samples:", "interval", "rough,", "test"} <= words


def test_a_table_with_room_is_one_block_and_without_it_repeats_the_names():
    assert sum("cat" in line for line in lines(200)) == 1
    narrow = lines(45)
    assert sum(line.startswith(" cat") for line in narrow) == sum(line.split()[:1] == ["class"] for line in narrow) > 1


def test_without_room_for_a_name_and_a_number_the_line_is_too_long_rather_than_cut():
    assert any("0.986 0.93–1.00" in line for line in lines(20))


def test_a_table_without_rows_shows_its_headings():
    assert any("precision" in line for line in lines(80, []))


def test_texts_are_wrapped_between_words_and_parts_of_names():
    assert wrap("average_precision_weighted", 15) == ["average_", "precision_", "weighted"]
    assert wrap("one two  three", 9) == ["one two", "three"]
    assert wrap("a" * 7, 3) == ["aaa", "aaa", "a"]
    assert wrap("line\nbreak", 20) == ["line", "break"]
    assert wrap("", 5) == [""]


def test_room_goes_to_the_columns_that_would_have_most_lines():
    """Eleven cells lie between and beside four columns."""
    widths = [Width(12, 60), Width(24, 60), Width(6, 6), Width(5, 11)]
    assert fit(widths, 200) == [60, 60, 6, 11]
    first, second, number, heading = fit(widths, 100)
    assert first + second + number + heading + 11 == 100
    assert abs(first - second) <= 1 and number == 6 and heading > 5
    assert fit(widths, 20) == [12, 24, 6, 5]


def test_columns_stay_in_their_order():
    widths = [Width(10, 10), Width(20, 20), Width(30, 30), Width(5, 5)]
    assert list(blocks(widths, 80)) == [[0, 1, 2, 3]]
    assert list(blocks(widths, 60)) == [[0, 1], [0, 2, 3]]
    assert list(blocks(widths, 20)) == [[0, 1], [0, 2], [0, 3]]
