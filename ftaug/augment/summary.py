"""Short human-readable summaries of an op's settings and of its drawn parameters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ftaug.config.registry import Component


def of_settings(op: Component, hidden: Collection[str] = ()) -> str:
    """Format the settings of an op; unset and `hidden` ones are left out, and so is a probability of 1."""
    shown = {name: value for name, value in op.settings.items() if name not in hidden and value not in (None, (), {})}
    if shown.get("probability") == 1:
        del shown["probability"]
    return ", ".join(f"{name} {short(value)}" for name, value in shown.items())


def of_values(values: Mapping[str, Mapping[str, float | str]]) -> str:
    """Format the drawn parameters of a single op; for several ops, return the names of those that fired."""
    if len(values) != 1:
        return ", ".join(values)
    (parameters,) = values.values()
    return ", ".join(f"{key} {short(value)}" for key, value in parameters.items())


def short(value: Any) -> str:
    """Format a setting or a drawn value, floats with three significant digits."""
    if isinstance(value, Component):
        return value.name
    if isinstance(value, tuple | list):
        return ("–" if isinstance(value[0], float) else ", ").join(short(item) for item in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)
