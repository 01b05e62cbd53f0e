"""Text implementation of `ftaug explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ftaug.attribution.page import page
from ftaug.documents.html_page import text
from ftaug.documents.palette import shade
from ftaug.interfaces.explanation import Attribution, Explanation
from ftaug.text.explanation.words import Word, words
from ftaug.text.tokenizer import encoder

if TYPE_CHECKING:
    from rich.table import Table
    from torch import Tensor

suffixes = (".html", ".json")
default_output: Path | None = None
on_normalized = False
LISTED = 5
"""Words of the strongest effect that the terminal lists."""


def remove(
    sample: Tensor, attribution: Attribution, share: float, most: bool, preprocessing: Mapping[str, Any]
) -> Tensor:
    """Return packed tokens (1, 3, length) without a share of them: those of the highest or of the lowest values.

    Tokens that mark the beginning or the end stay.
    """
    special = special_ids(preprocessing["tokenizer"])
    ids = sample[0, 0].tolist()
    removable = np.array([place for place, token in enumerate(ids) if token not in special], np.int64)
    order = removable[attribution.values[removable].argsort(kind="stable")]
    count = round(share * len(order))
    removed = set((order[len(order) - count :] if most else order[:count]).tolist())
    remaining = [place for place in range(len(ids)) if place not in removed]
    return sample[:, :, remaining or [0]]


@lru_cache(maxsize=4)
def special_ids(tokenizer: str) -> frozenset[int]:
    """Return the ids of a tokenizer's special tokens, such as [CLS]."""
    known = encoder(tokenizer, 1).tokenizer.get_added_tokens_decoder()
    return frozenset(number for number, token in known.items() if token.special)


def locate(raw: Any, attribution: Attribution, preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    """Return the words of the original text with their places in characters and their values."""
    return {"words": [asdict(word) for word in words(raw, attribution.values, preprocessing)]}


def render(explanations: Sequence[Explanation], title: str, preprocessing: Mapping[str, Any], suffix: str) -> bytes:
    """Return the content of an HTML page."""
    return page(title, ((each, _body(each, preprocessing)) for each in explanations)).encode()


def screen(explanations: Sequence[Explanation], preprocessing: Mapping[str, Any]) -> Table:
    """Return a table of the words with the strongest effect on each prediction."""
    from rich import box
    from rich.table import Column, Table

    headings = ("input", "predicted", "explained", f"strongest words ({explanations[0].method})")
    table = Table(*(Column(heading, overflow="fold") for heading in headings), box=box.SIMPLE_HEAD, pad_edge=False)
    for each in explanations:
        table.add_row(
            each.name, each.prediction.removeprefix("predicted "), each.output, _strongest(each, preprocessing)
        )
    return table


def _strongest(explanation: Explanation, preprocessing: Mapping[str, Any]) -> str:
    by_effect = sorted(
        words(explanation.raw, explanation.attribution.values, preprocessing), key=lambda word: -abs(word.value)
    )
    return ", ".join(f"{word.text} {word.value:+.2f}" for word in by_effect[:LISTED])


def _body(explanation: Explanation, preprocessing: Mapping[str, Any]) -> str:
    """Return the text with its words colored by their values, as HTML."""
    located = words(explanation.raw, explanation.attribution.values, preprocessing)
    strongest = max((abs(word.value) for word in located), default=0.0)
    bodies = []
    for sequence, whole in enumerate(explanation.raw):
        if whole is not None:
            pieces = "".join(_pieces(whole, [word for word in located if word.sequence == sequence], strongest))
            bodies.append(f'<p class="text" dir="auto">{pieces}</p>')
    return "\n".join(bodies)


def _pieces(whole: str, located: Sequence[Word], strongest: float) -> Iterator[str]:
    end = 0
    for word in sorted(located, key=lambda word: word.start):
        yield text(whole[end : word.start])
        style = f"background: {shade(word.value / strongest if strongest else 0.0)}"
        yield f'<mark style="{style}" title="{word.value:+.3g}">{text(whole[word.start : word.end])}</mark>'
        end = max(end, word.end)
    yield text(whole[end:])
