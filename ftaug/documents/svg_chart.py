"""Charts as SVG that takes its colors from the page, or has them in itself if it is a file of its own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ftaug.documents.axis import Axis, axis_of, labels
from ftaug.documents.html_page import text
from ftaug.documents.palette import SERIES, variables
from ftaug.interfaces.document import BarChart, Chart, LineChart, Series

WIDTH, HEIGHT = 400, 240
RIGHT, BOTTOM = 14, 40
LINE = 18  # height of a line of text
BAR = 20  # height of a row of bars
CHARACTER = 7.7  # mean width in wide fonts

STYLE = (
    """
.chart { display: block; width: 100%; height: auto; font: 12.5px system-ui, sans-serif; }
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
    values = (v for s in chart.series for v in (*s.y, *s.low, *s.high))
    y = axis_of(values, chart.y_range, 1, 0, log=chart.log_y)
    names = labels(y.ticks())
    left = 26 + CHARACTER * max(map(len, names), default=0)
    title = [_text(left, LINE - 4, chart.title, "title")] if chart.title else []
    legend, rows = _legend([series for series in chart.series if series.name], left, LINE * len(title))
    top = LINE * (len(title) + rows) + 8.0
    bottom = top + HEIGHT - BOTTOM - 40
    y = replace(y, start=bottom, end=top)
    x = axis_of((v for s in chart.series for v in s.x), chart.x_range, left, WIDTH - RIGHT)
    middle = (top + bottom) / 2
    turn = f' transform="rotate(-90 12 {middle:.1f})"'
    drawn = [
        *title,
        *legend,
        *_grid(x, y),
        _text((left + WIDTH - RIGHT) / 2, bottom + 34, chart.x_label, anchor="middle"),
        _text(12, middle, chart.y_label, anchor="middle", turn=turn),
        *(line for number, series in enumerate(chart.series) for line in _series(series, number % SERIES, x, y)),
    ]
    return drawn, bottom + BOTTOM


def _grid(x: Axis, y: Axis) -> Iterator[str]:
    ticks = y.ticks()
    for tick, name in zip(ticks, labels(ticks), strict=True):
        at = y.position(tick)
        yield f'<line class="grid" x1="{x.start:g}" x2="{x.end:g}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield _text(x.start - 6, at + 4, name, anchor="end")
    ticks = x.ticks()
    for tick, name in zip(ticks, labels(ticks), strict=True):
        yield _text(x.position(tick), y.start + 17, name, anchor="middle")
    yield f'<line class="grid" x1="{x.start:g}" x2="{x.end:g}" y1="{y.start:.1f}" y2="{y.start:.1f}"/>'


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


def _legend(series: Sequence[Series], left: float, top: float) -> tuple[list[str], int]:
    """Draw the names of the series side by side, as many a row as fit; return the number of rows too."""
    drawn: list[str] = []
    at, row = left, 0
    for number, each in enumerate(series):
        width = 22 + CHARACTER * len(each.name) + 12
        if at > left and at + width > WIDTH:
            at, row = left, row + 1
        height = top + row * LINE + 14
        kind = "reference" if each.style == "reference" else f"line stroke-{number % SERIES}"
        drawn.append(f'<line class="{kind}" x1="{at:g}" x2="{at + 16:g}" y1="{height - 4:g}" y2="{height - 4:g}"/>')
        drawn.append(_text(at + 22, height, each.name))
        at += width
    return drawn, row + 1 if drawn else 0


def _bars(chart: BarChart) -> tuple[list[str], float]:
    drawn = [_text(0, 16, chart.title, "title")] if chart.title else []
    top = 28 if chart.title else 4
    name_width = min(0.5 * WIDTH, max((CHARACTER * len(name) for name, *_ in chart.rows), default=0.0) + 10)
    value_width = min(0.3 * WIDTH, max((CHARACTER * len(shown) for *_, shown in chart.rows), default=0.0) + 16)
    largest = max((value for _, value, _ in chart.rows), default=0.0) or 1.0
    for number, (name, value, shown) in enumerate(chart.rows):
        at = top + number * BAR
        length = max(0.0, value) / largest * (WIDTH - name_width - value_width)
        drawn.append(_text(name_width - 8, at + 14, _shortened(name, name_width), "label", anchor="end"))
        drawn.append(
            f'<rect class="fill-0" x="{name_width:.1f}" y="{at + 3}" width="{length:.1f}" height="{BAR - 6}"/>'
        )
        drawn.append(_text(name_width + length + 6, at + 14, _shortened(shown, value_width)))
    return drawn, top + len(chart.rows) * BAR + 4


def _shortened(name: str, width: float) -> str:
    fitting = int(width / CHARACTER)
    return name if len(name) <= fitting else f"{name[: fitting - 1]}…"


def _text(x: float, y: float, content: str, kind: str = "", *, anchor: str = "", turn: str = "") -> str:
    styled = f' class="{kind}"' if kind else ""
    aligned = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text{styled} x="{x:.1f}" y="{y:.1f}"{aligned}{turn}>{text(content)}</text>'
