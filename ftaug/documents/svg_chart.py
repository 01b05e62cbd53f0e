"""Charts as SVG that takes its colors from the page, or has them in itself if it is a file of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from ftaug.documents.axis import Axis, axis_of, labels
from ftaug.documents.html_page import text
from ftaug.documents.palette import SERIES, variables
from ftaug.interfaces.document import BarChart, Chart, LineChart, Series

WIDTH, HEIGHT = 440, 260
LEFT, RIGHT, BOTTOM = 52, 14, 40
LINE = 18  # height of a line of text
BAR = 20  # height of a row of bars
CHARACTER = 6.4  # mean width in the legend

STYLE = (
    """
.chart { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
.chart text { fill: var(--faint); } .chart .title { fill: var(--ink); font-weight: 600; font-size: 13px; }
.chart .label { fill: var(--ink); }
.chart .grid { stroke: var(--line); stroke-width: 1; } .chart .line { fill: none; stroke-width: 2; }
.chart .reference { fill: none; stroke: var(--faint); stroke-width: 1; stroke-dasharray: 4 4; }
.chart .interval { stroke-width: 1.5; }
"""
    + "".join(
        f".chart .stroke-{i} {{ stroke: var(--series-{i}); }} .chart .fill-{i} {{ fill: var(--series-{i}); }}\n"
        for i in range(SERIES)
    )
    + """.chart * { print-color-adjust: exact; }
"""
)


def svg(chart: Chart, *, alone: bool = False) -> str:
    """Return a chart as an SVG element; `alone` as the content of a file."""
    drawn, height = _bars(chart) if isinstance(chart, BarChart) else _lines(chart)
    space = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
    style = f"<style>{variables()}{STYLE}svg {{ background: var(--card); }}</style>" if alone else ""
    head = f'<svg{space} class="chart" viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{text(chart.alt)}">'
    return f"{head}{style}{''.join(drawn)}</svg>"


def _lines(chart: LineChart) -> tuple[list[str], float]:
    top = 8.0
    drawn: list[str] = []
    if chart.title:
        top += LINE
        drawn.append(_text(LEFT, top - 6, chart.title, "title"))
    legend, rows = _legend([series for series in chart.series if series.name], top)
    drawn += legend
    top += rows * LINE + 6
    bottom = top + HEIGHT - BOTTOM - 30
    x = axis_of((v for s in chart.series for v in s.x), chart.x_range, LEFT, WIDTH - RIGHT)
    values = (v for s in chart.series for v in (*s.y, *s.low, *s.high))
    y = axis_of(values, chart.y_range, bottom, top, log=chart.log_y)
    drawn += _grid(x, y)
    drawn.append(_text((LEFT + WIDTH - RIGHT) / 2, bottom + 34, chart.x_label, anchor="middle"))
    place = (top + bottom) / 2
    drawn.append(_text(12, place, chart.y_label, anchor="middle", turn=f' transform="rotate(-90 12 {place:g})"'))
    for number, series in enumerate(chart.series):
        drawn += _series(series, number % SERIES, x, y)
    return drawn, bottom + BOTTOM


def _grid(x: Axis, y: Axis) -> Iterator[str]:
    ticks = y.ticks()
    for tick, name in zip(ticks, labels(ticks), strict=True):
        at = y.position(tick)
        yield f'<line class="grid" x1="{x.start}" x2="{x.end}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield _text(x.start - 6, at + 4, name, anchor="end")
    ticks = x.ticks()
    for tick, name in zip(ticks, labels(ticks), strict=True):
        yield _text(x.position(tick), y.start + 17, name, anchor="middle")
    yield f'<line class="grid" x1="{x.start}" x2="{x.end}" y1="{y.start:.1f}" y2="{y.start:.1f}"/>'


def _series(series: Series, color: int, x: Axis, y: Axis) -> Iterator[str]:
    points = [
        (x.position(a), y.position(b))
        for a, b in zip(series.x, series.y, strict=True)
        if math.isfinite(a) and math.isfinite(b)
    ]
    for a, low, high in zip(series.x, series.low, series.high, strict=False):
        at = x.position(a)
        yield (
            f'<line class="interval stroke-{color}" x1="{at:.1f}" x2="{at:.1f}" '
            f'y1="{y.position(low):.1f}" y2="{y.position(high):.1f}"/>'
        )
    if series.style != "points" and len(points) > 1:
        kind = "reference" if series.style == "reference" else f"line stroke-{color}"
        yield f'<polyline class="{kind}" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}"/>'
    if series.style == "points" or (series.style == "line" and len(points) <= 12):
        yield from (f'<circle class="fill-{color}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in points)


def _legend(series: Sequence[Series], top: float) -> tuple[list[str], int]:
    """Draw the names of the series side by side, as many a row as fit; return the number of rows too."""
    drawn: list[str] = []
    at, row = float(LEFT), 0
    for number, each in enumerate(series):
        width = 22 + CHARACTER * len(each.name) + 14
        if at > LEFT and at + width > WIDTH - RIGHT:
            at, row = float(LEFT), row + 1
        height = top + row * LINE + 10
        kind = "reference" if each.style == "reference" else f"line stroke-{number % SERIES}"
        drawn.append(f'<line class="{kind}" x1="{at:g}" x2="{at + 16:g}" y1="{height - 4:g}" y2="{height - 4:g}"/>')
        drawn.append(_text(at + 22, height, each.name))
        at += width
    return drawn, row + 1 if drawn else 0


def _bars(chart: BarChart) -> tuple[list[str], float]:
    drawn = [_text(0, 16, chart.title, "title")] if chart.title else []
    top = 28 if chart.title else 4
    name_width = min(0.5 * WIDTH, max((7.0 * len(name) for name, *_ in chart.rows), default=0.0) + 10)
    value_width = max((7.0 * len(shown) for *_, shown in chart.rows), default=0.0) + 8
    largest = max((value for _, value, _ in chart.rows), default=0.0) or 1.0
    for number, (name, value, shown) in enumerate(chart.rows):
        at = top + number * BAR
        length = max(0.0, value) / largest * (WIDTH - name_width - value_width)
        drawn.append(_text(name_width - 8, at + 14, _shortened(name, name_width), "label", anchor="end"))
        drawn.append(
            f'<rect class="fill-0" x="{name_width:.1f}" y="{at + 3}" width="{length:.1f}" height="{BAR - 6}"/>'
        )
        drawn.append(_text(name_width + length + 6, at + 14, shown))
    return drawn, top + len(chart.rows) * BAR + 4


def _shortened(name: str, width: float) -> str:
    fitting = int(width / 7.0)
    return name if len(name) <= fitting else f"{name[: fitting - 1]}…"


def _text(x: float, y: float, content: str, kind: str = "", *, anchor: str = "", turn: str = "") -> str:
    styled = f' class="{kind}"' if kind else ""
    aligned = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text{styled} x="{x:.1f}" y="{y:.1f}"{aligned}{turn}>{text(content)}</text>'
