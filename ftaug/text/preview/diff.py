"""Differences between a text and its augmented version: composed edits, or a word-level diff."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise, takewhile
from typing import NamedTuple

from ftaug.augment.transform import Transform
from ftaug.text.edits import Edit, Edits, Span
from ftaug.text.segmentation import characters_of, words_of


class Piece(NamedTuple):
    """A piece of text before and after augmentation; equal if unchanged."""

    before: str
    after: str

    @property
    def kept(self) -> bool:
        """Whether the piece is unchanged."""
        return self.before == self.after


def composed(text: str, draws: Iterable[Transform]) -> tuple[Edit, ...]:
    """Compose sequential edits into edits of the original text.

    Each character carries its index in the original, or None if it was inserted.
    """
    now: list[tuple[str, int | None]] = [(character, place) for place, character in enumerate(text)]
    for draw in draws:
        if isinstance(draw, Edits):
            for start, end, new in reversed(draw.edits):
                now[start:end] = [(character, None) for character in new]
    return tuple(_edits(text, now))


def _edits(text: str, now: Sequence[tuple[str, int | None]]) -> Iterator[Edit]:
    """Yield the edits from a text to characters that carry their original index, or None if inserted."""
    at, new = 0, ""
    for character, place in [*now, ("", len(text))]:
        if place is None:
            new += character
            continue
        if text[at:place] != new:
            yield Edit(at, place, new)
        at, new = place + 1, ""


def by_words(before: str, after: str) -> tuple[Edit, ...]:
    """Return a word-level diff: edits of whole words, punctuation and spaces."""
    old, new = _tokens(before), _tokens(after)
    matcher = SequenceMatcher(None, [before[a:b] for a, b in old], [after[a:b] for a, b in new], autojunk=False)
    same = [(old[i + k], new[j + k]) for i, j, size in matcher.get_matching_blocks() for k in range(size)]
    ends = [(0, 0), *((old_span.end, new_span.end) for old_span, new_span in same)]
    starts = [*((old_span.start, new_span.start) for old_span, new_span in same), (len(before), len(after))]
    between = (_without_common_spaces(before[i:k], after[j:m], i) for (i, j), (k, m) in zip(ends, starts, strict=True))
    return tuple(edit for edit in between if edit is not None)


def _without_common_spaces(old: str, new: str, start: int) -> Edit | None:
    """Return the edit between unchanged words, without common spaces at its ends; None if equal."""
    if old == new:
        return None
    head = _common_spaces(old, new)
    tail = _common_spaces(old[head:][::-1], new[head:][::-1])
    return Edit(start + head, start + len(old) - tail, new[head : len(new) - tail])


def _common_spaces(first: str, second: str) -> int:
    """Number of leading spaces that both texts share."""
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1] and pair[0].isspace(), zip(first, second, strict=False))
    )


def _tokens(text: str) -> list[Span]:
    """Split into words and punctuation characters, without spaces."""
    words = words_of(text)
    bounds = [0, *(place for word in words for place in word), len(text)]
    result: list[Span] = []
    for number, (start, end) in enumerate(pairwise(bounds)):
        if number % 2:
            result.append(Span(start, end))
            continue
        for mark in characters_of(text[start:end]):
            if not mark.isspace():
                result.append(Span(start, start + len(mark)))
            start += len(mark)
    return result


def pieces(text: str, edits: Sequence[Edit]) -> list[Piece]:
    """Split the text into unchanged and changed pieces, in order."""
    result, at = [], 0
    for start, end, new in edits:
        result += [Piece(text[at:start], text[at:start]), Piece(text[start:end], new)]
        at = end
    rest = text[at:]
    return [piece for piece in [*result, Piece(rest, rest)] if piece != ("", "")]


CUT = "[…]"
"""Mark of elided text."""


def shortened(parts: Sequence[Piece], longest: int) -> list[Piece]:
    """Elide long unchanged pieces; of the first and last piece, the side next to a change remains."""
    result = []
    for number, piece in enumerate(parts):
        if piece.kept and len(piece.before) > longest:
            alone = len(parts) == 1
            head = "" if number == 0 and not alone else _head(piece.before, longest // 2) + " "
            tail = "" if number == len(parts) - 1 and not alone else " " + _tail(piece.before, longest // 2)
            piece = Piece(*[f"{head}{CUT}{tail}"] * 2)
        result.append(piece)
    return result


def _head(text: str, length: int) -> str:
    """Return the leading whole words; without spaces, the leading characters."""
    return text[:length].rpartition(" ")[0] or text[:length]


def _tail(text: str, length: int) -> str:
    return text[-length:].partition(" ")[2] or text[-length:]
