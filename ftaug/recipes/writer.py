"""Write a recipe as YAML, with the reason as a comment on each line."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

from ftaug.config import yaml_document
from ftaug.errors import printable
from ftaug.recipes.layout import Layout
from ftaug.recipes.recipe import Choice, Recipe

WIDTH = 119  # maximum line length, where avoidable
ALIGNED = 64  # lines up to this length align their comments
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*( [\w./-]+)*|\d+(\.\d+)?%|\d+ (epochs?|steps?)", re.ASCII)


class Line(NamedTuple):
    """A line of an experiment file and its comment."""

    text: str
    reason: str = ""


def experiment_text(header: Sequence[str], top: Sequence[Line], layout: Layout, samples: int, recipe: Recipe) -> str:
    """Return the text of an experiment file: header comments, `top` keys such as modality, data splits, recipe."""
    lines = [Line(f"# {_one_line(line)}") for line in header]
    data = layout.choices(samples)
    lines += [*top, Line("data:"), *_block("  ", data)]
    lines += [Line(f"  # {_one_line(hint)}") for hint in layout.hints]
    lines += _block("  ", {"batch_size": recipe.batch_size})
    if data["val"].value is None:  # no evaluation during training: the last checkpoint is the best
        recipe = replace(recipe, evaluate={key: value for key, value in recipe.evaluate.items() if key == "metrics"})
    for field in fields(recipe)[1:]:
        lines += _section(field.name, getattr(recipe, field.name))
    return aligned(lines)


def _section(name: str, value: Any) -> list[Line]:
    if isinstance(value, Choice):
        return _block("", {name: value})
    if not value:
        return []
    if isinstance(value, Mapping):
        return [Line(f"{name}:"), *_block("  ", value)]
    return [Line(f"{name}:", "in this order"), *(Line(f"  - {_item(item.value)}", item.reason) for item in value)]


def _item(value: Any) -> str:
    """Format a component as a list item; a single key needs no braces."""
    if isinstance(value, Mapping) and len(value) == 1:
        return ", ".join(f"{flow(key)}: {flow(inner)}" for key, inner in value.items())
    return flow(value)


def _block(indent: str, choices: Mapping[str, Choice]) -> list[Line]:
    return [Line(f"{indent}{name}: {flow(choice.value)}", choice.reason) for name, choice in choices.items()]


def flow(value: Any) -> str:
    """Format plain data as YAML flow style in one line; quote strings that YAML would parse as another type."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and isinstance(yaml_document.scalar(value), str):
        return value
    return json.dumps(value, ensure_ascii=False)


def aligned(lines: Sequence[Line]) -> str:
    """Join lines with aligned comments; a comment too long for its line goes above it."""
    column = max((len(line.text) for line in lines if line.reason and len(line.text) <= ALIGNED), default=0)
    result: list[str] = []
    for text, reason in lines:
        comment = f"# {_one_line(reason)}"
        if not reason:
            result.append(text)
        elif len(beside := f"{text:<{column}}  {comment}") <= WIDTH:
            result.append(beside)
        else:
            indent = " " * (len(text) - len(text.lstrip()))
            mark = f"{indent}# "
            result += textwrap.wrap(comment[2:], WIDTH, initial_indent=mark, subsequent_indent=mark)
            result.append(text)
    return "\n".join(result) + "\n"


def _one_line(text: str) -> str:
    return printable(text).replace("\n", " ")
