"""Colors of all documents in light and dark, as CSS variables; readable by color-blind people too (Okabe and Ito)."""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "paper": "#f6f7f9",
    "card": "#ffffff",
    "ink": "#1c2430",
    "faint": "#5d6877",
    "line": "#e1e5ea",
    "accent": "#20609f",
    "added": "#146c2e",
    "added-on": "#dcf5e3",
    "removed": "#a3242c",
    "removed-on": "#fde4e4",
    "caution": "#7a4b00",
    "caution-on": "#fff3d6",
    "series-0": "#0072b2",
    "series-1": "#d55e00",
    "series-2": "#00785a",
    "series-3": "#9b4f86",
    "series-4": "#8a6d00",
    "series-5": "#5d6877",
}
DARK: Mapping[str, str] = {
    "paper": "#14171c",
    "card": "#1d2127",
    "ink": "#e4e8ee",
    "faint": "#98a3b2",
    "line": "#323943",
    "accent": "#78aee8",
    "added": "#8ce0a4",
    "added-on": "#16392a",
    "removed": "#f2a0a3",
    "removed-on": "#452226",
    "caution": "#f1cd86",
    "caution-on": "#3b2f14",
    "series-0": "#56b4e9",
    "series-1": "#f0883e",
    "series-2": "#2fbf97",
    "series-3": "#d98cc4",
    "series-4": "#e3c34a",
    "series-5": "#98a3b2",
}
SERIES = sum(name.startswith("series-") for name in LIGHT)

RAISES, LOWERS = (213, 94, 0), (0, 114, 178)
"""Vermillion and blue of Okabe and Ito, for what raises and what lowers an output."""
STRONGEST = 0.75
"""Opacity of the background of the highest weight."""


def shade(weight: float) -> str:
    """Return the background color of a weight from -1 to 1: RAISES or LOWERS, the more opaque the stronger."""
    red, green, blue = RAISES if weight > 0 else LOWERS
    return f"rgba({red}, {green}, {blue}, {STRONGEST * min(1.0, abs(weight)):.2f})"


def variables() -> str:
    """Return the CSS that declares the colors; on paper always the light ones."""
    dark = f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {_declared(DARK)} }} }}"
    light = f":root {{ color-scheme: light dark; {_declared(LIGHT)} }}"
    return f"{light}\n{dark}\n@media print {{ :root {{ color-scheme: light; }} }}"


def _declared(colors: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {color};" for name, color in colors.items())
