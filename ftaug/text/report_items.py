"""Texts as content of a report, with their words highlighted if the prediction is explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ftaug.interfaces.document import HighlightedText
from ftaug.interfaces.explanation import Explanation
from ftaug.text.explanation.words import Word, words
from ftaug.text.types import Text

MOST_CHARACTERS, MOST_EXPLAINED = 300, 1000
"""Number of characters of a text after which it is cut, and of one whose words are highlighted."""

BETWEEN_PAIR = "\n\n"

Spans = list[tuple[str, float]]


def report_item(raw: Text, caption: str) -> HighlightedText:
    """Return a text, or both texts of a pair."""
    return HighlightedText(_shortened(_spans(raw, []), MOST_CHARACTERS), caption)


def explained_item(explanation: Explanation, preprocessing: Mapping[str, Any], caption: str) -> HighlightedText:
    """Return a text with the values of its words, relative to the strongest."""
    located = words(explanation.raw, explanation.attribution.values, preprocessing)
    return HighlightedText(_shortened(_spans(explanation.raw, located), MOST_EXPLAINED), caption)


def _spans(raw: Text, located: Sequence[Word]) -> Spans:
    """Split texts into words with their values from -1 to 1, and what is between them with 0."""
    strongest = max((abs(word.value) for word in located), default=0.0) or 1.0
    spans: Spans = []
    for sequence, text in enumerate(part for part in raw if part is not None):
        end = 0
        if sequence:
            spans.append((BETWEEN_PAIR, 0.0))
        for word in sorted((word for word in located if word.sequence == sequence), key=lambda word: word.start):
            spans += [(text[end : word.start], 0.0), (text[word.start : word.end], word.value / strongest)]
            end = max(end, word.end)
        spans.append((text[end:], 0.0))
    return [span for span in spans if span[0]]


def _shortened(spans: Spans, room: int) -> Spans:
    """Leave out what follows so many characters."""
    result: Spans = []
    for text, value in spans:
        if len(text) > room:
            return [*result, (text[:room] + "…", value)]
        result.append((text, value))
        room -= len(text)
    return result
