"""WCAG 2.2 contrast of all pairs of colors that text and charts have, in both schemes."""

import pytest

from ftaug.documents.palette import DARK, LIGHT, LOWERS, RAISES, SERIES, STRONGEST, shade, variables

TEXT = [
    *((ink, on) for ink in ("ink", "faint", "accent") for on in ("paper", "card")),
    *((f"{name}", f"{name}-on") for name in ("added", "removed", "caution")),
]


def rgb(color):
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def luminance(color):
    """Relative luminance as WCAG defines it."""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_that_of_wcag():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast(rgb("#777777"), rgb("#ffffff")) == pytest.approx(4.48, abs=0.005)  # just misses AA


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_text_reaches_4_5_and_charts_reach_3(colors):
    text = {pair: contrast(*(rgb(colors[name]) for name in pair)) for pair in TEXT}
    assert {pair: ratio for pair, ratio in text.items() if ratio < 4.5} == {}
    charts = {i: contrast(rgb(colors[f"series-{i}"]), rgb(colors["card"])) for i in range(SERIES)}
    assert {i: ratio for i, ratio in charts.items() if ratio < 3} == {}


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("color", [RAISES, LOWERS], ids=["raises", "lowers"])
def test_text_is_readable_on_the_strongest_highlight(colors, color):
    card = rgb(colors["card"])
    background = [STRONGEST * c + (1 - STRONGEST) * below for c, below in zip(color, card, strict=True)]
    assert contrast(rgb(colors["ink"]), background) >= 4.5


def test_shades_have_a_color_for_each_sign_and_an_opacity_by_weight():
    assert shade(1.0) == f"rgba({', '.join(map(str, RAISES))}, 0.75)"
    assert shade(-0.5) == f"rgba({', '.join(map(str, LOWERS))}, 0.38)"
    assert shade(-9.0).endswith(", 0.75)")


def test_both_schemes_have_the_same_colors_and_paper_is_light():
    assert LIGHT.keys() == DARK.keys()
    light, dark, on_paper = variables().splitlines()
    assert LIGHT["ink"] in light and DARK["ink"] in dark and dark.startswith("@media screen and")
    assert on_paper.startswith("@media print")
