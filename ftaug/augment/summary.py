"""Settings and draws in few words, for a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ftaug.config.registry import Component


def of_settings(op: Component, hidden: Collection[str] = ()) -> str:
    """The settings that tell most."""
    shown = {name: value for name, value in op.settings.items() if name not in hidden and value not in (None, (), {})}
    if shown.get("probability") == 1:
        del shown["probability"]
    return ", ".join(f"{name} {short(value)}" for name, value in shown.items())


def of_values(values: Mapping[str, Mapping[str, float | str]]) -> str:
    """What one op drew; of several, which ones fired."""
    if len(values) != 1:
        return ", ".join(values)
    (one,) = values.values()
    return ", ".join(f"{key} {short(value)}" for key, value in one.items())


def short(value: Any) -> str:
    """A setting or a drawn value."""
    if isinstance(value, Component):
        return value.name
    if isinstance(value, tuple | list):
        return ("–" if isinstance(value[0], float) else ", ").join(short(part) for part in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)
