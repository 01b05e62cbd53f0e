"""Deterministic synthetic texts, to compare an export with the model without the user's data."""

from collections.abc import Mapping
from typing import Any

from ftaug.text.types import Text

SENTENCES = (
    "The train was late again.",
    "Return the list of files that have changed since the last call, if there are any; else None.",
    "¿Cuánto cuesta? – 12,50 €, ñandú incluido.",
    "価格は三千円です。",
)


def synthetic(preprocessing: Mapping[str, Any]) -> list[Text]:
    """Return an empty text, a word, sentences, a pair, and a text beyond any maximum length."""
    texts = [Text(sentence) for sentence in SENTENCES]
    return [*texts, Text(""), Text("yes"), Text(*SENTENCES[:2]), Text(" ".join(SENTENCES[:2]) * 500)]
