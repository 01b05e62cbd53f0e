"""Severity: one number from 0 to 1 that replaces the strength settings of a component.

A function is registered with what its settings are at either end: `register(severity={"degrees": (0.0, 180.0)})`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from ftaug.config.registry import Component, Entry
from ftaug.config.types import Wording

Severity = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Wording("a severity from 0 to 1")]
SHOWN = (0.0, 0.25, 0.5, 0.75, 1.0)


def governed(entry: Entry) -> dict[str, tuple[Any, Any]]:
    """Return the settings that a severity controls, each with its weakest and strongest value."""
    return dict(entry.facts.get("severity") or {})


def settings_at(entry: Entry, severity: float) -> dict[str, Any]:
    """Return the settings at a severity."""
    return {name: _between(*ends, severity) for name, ends in governed(entry).items()}


def at_severity(component: Component, severity: float) -> Component:
    """Return the component at a severity; other settings are unchanged."""
    return replace(component, settings={**component.settings, **settings_at(component.entry, severity)})


def gradations(component: Component) -> Iterator[tuple[float, Component]]:
    """Return the component at increasing severities, with probability 1."""
    certain = {"probability": 1.0} if "probability" in component.settings else {}
    for severity in SHOWN:
        yield severity, at_severity(replace(component, settings={**component.settings, **certain}), severity)


def _between(weakest: Any, strongest: Any, severity: float) -> Any:
    """Interpolate between two values; integers stay integers."""
    if isinstance(weakest, tuple):
        return tuple(_between(a, b, severity) for a, b in zip(weakest, strongest, strict=True))
    value = weakest + severity * (strongest - weakest)
    return round(value) if isinstance(weakest, int) else value
