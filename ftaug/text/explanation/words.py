"""Values of tokens, added up to words of the original text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftaug.text.tokenizer import encoder
from ftaug.text.types import Text


@dataclass(frozen=True)
class Word:
    """A word of a text, or of the second text of a pair, with its value."""

    sequence: int  # 0, or 1 for the second text
    start: int  # in characters
    end: int
    text: str
    value: float


def words(raw: Text, values: np.ndarray, preprocessing: Mapping[str, Any]) -> list[Word]:
    """Add up the values of tokens (length,) to the words that the tokenizer splits a text into.

    Tokens that are no part of the text, such as [CLS], and what max_length cuts off have no word.
    """
    encoding = encoder(preprocessing["tokenizer"], preprocessing["max_length"]).encoding(raw)
    spans: dict[tuple[int, int], tuple[int, int, float]] = {}
    places = zip(encoding.sequence_ids, encoding.word_ids, encoding.offsets, values.tolist(), strict=True)
    for sequence, word, (start, end), value in places:
        if sequence is None or word is None:
            continue
        first, last, total = spans.get((sequence, word), (start, end, 0.0))
        spans[sequence, word] = (min(first, start), max(last, end), total + value)
    return [_trimmed(raw, sequence, *span) for (sequence, _), span in spans.items()]


def _trimmed(raw: Text, sequence: int, start: int, end: int, value: float) -> Word:
    """Return a word without the space that some tokenizers count to it."""
    whole = raw[sequence] or ""
    covered = whole[start:end]
    start += len(covered) - len(covered.lstrip())
    return Word(sequence, start, start + len(covered.strip()), covered.strip(), value)
