"""Lists of values on the command line, such as `rotate,{shear: {x: 10}}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from ftaug.config.yaml_document import parse_value
from ftaug.errors import ExperimentError


def parse_list(option: str, texts: Sequence[str], example: str) -> list[str]:
    """Parse the lists of an option; return each different value once, as the text of an override.

    Raises ExperimentError, with an example of what was expected.
    """
    return [*dict.fromkeys(_text(value) for text in texts for value in _values(option, text, example))]


def _values(option: str, text: str, example: str) -> list[Any]:
    """Parse a list without its brackets."""
    try:
        return list(parse_value(f"[{text}]", option))
    except ExperimentError as error:
        message = error.problems[0].message
        raise ExperimentError(f"{option} '{text}': {message}; expected names such as {example}") from None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6).strip()
