import re
import xml.etree.ElementTree as ET

import pytest
from documents import HOSTILE

from ftaug.documents.svg_chart import svg
from ftaug.interfaces.document import BarChart, LineChart, Series

CURVE = Series("train", [0, 1, 2], [0.0, 1.0, 0.5])


def drawn(chart):
    return ET.fromstring(svg(chart))


def test_the_points_of_a_curve_lie_where_their_values_are():
    root = drawn(LineChart([CURVE], "epoch", "loss", "a curve"))
    points = [tuple(map(float, pair.split(","))) for pair in root.find("polyline").get("points").split()]
    x, y = zip(*points, strict=True)
    assert x[1] - x[0] == pytest.approx(x[2] - x[1], abs=0.2)
    assert y[1] < y[2] < y[0] and y[2] == pytest.approx((y[0] + y[1]) / 2, abs=0.1)
    assert root.get("role") == "img" and root.get("aria-label") == "a curve"


def test_intervals_and_undefined_values():
    points = Series("", [0.1, 0.5, 0.9], [0.2, float("nan"), 0.8], [0.1, 0.4, 0.7], [0.3, 0.6, 0.9], "points")
    root = drawn(LineChart([points], "x", "y", "alt", y_range=(0, 1)))
    assert len(root.findall("circle")) == 2
    bars = [each for each in root.findall("line") if "interval" in each.get("class")]
    assert len(bars) == 3 and all(float(bar.get("y1")) > float(bar.get("y2")) for bar in bars)


def test_each_series_has_a_color_and_a_name():
    series = [Series(f"run {i}", [0, 1], [i, i + 1]) for i in range(8)]
    root = drawn(LineChart(series, "x", "y", "alt", "title"))
    colors = [line.get("class").split()[-1] for line in root.findall("polyline")]
    assert colors[:6] == [f"stroke-{i}" for i in range(6)] and colors[6] == "stroke-0"
    texts = [each.text for each in root.findall("text")]
    assert {f"run {i}" for i in range(8)} < set(texts) and "title" in texts
    width, height = map(float, root.get("viewBox").split()[2:])
    assert all(0 <= float(each.get("x")) <= width and 0 <= float(each.get("y")) <= height for each in root.iter("text"))


def test_bars_are_as_long_as_their_values_and_fit():
    root = drawn(BarChart([("a", 1.0, "1"), ("b" * 90, 4.0, "4.00 %"), ("c", 0.0, "0")], "alt", "title"))
    widths = [float(bar.get("width")) for bar in root.findall("rect")]
    assert widths[1] == pytest.approx(4 * widths[0], abs=0.2) and widths[2] == 0
    assert max(float(bar.get("x")) + float(bar.get("width")) for bar in root.findall("rect")) < 360
    assert any(re.fullmatch("b+…", each.text) for each in root.findall("text"))
    crowded = drawn(BarChart([("a" * 90, 1.0, "b" * 90)], "alt")).find("rect")
    assert float(crowded.get("width")) == pytest.approx(80)


@pytest.mark.parametrize("chart", [LineChart([], "x", "y", "alt"), BarChart([], "alt")])
def test_nothing_to_draw_is_drawn(chart):
    assert drawn(chart).get("class") == "chart"


def test_a_file_has_its_colors_in_itself_and_names_are_escaped():
    chart = LineChart([Series(HOSTILE, [0, 1], [0, 1])], HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    root = ET.fromstring(svg(chart, alone=True))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "--series-0" in root[0].text and "prefers-color-scheme: dark" in root[0].text
    assert root.findall(".//{*}script") == []
