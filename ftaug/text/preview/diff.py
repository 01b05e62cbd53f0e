"""What differs between a text and another made of it: true edits composed, or words compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise, takewhile
from typing import NamedTuple

from ftaug.augment.transform import Transform
from ftaug.text.edits import Edit, Edits, Span
from ftaug.text.segmentation import characters_of, words_of


class Piece(NamedTuple):
    """A stretch of the text before and after; the two are the same where nothing was changed."""

    before: str
    after: str

    @property
    def kept(self) -> bool:
        """Whether nothing was changed."""
        return self.before == self.after


def composed(text: str, draws: Iterable[Transform]) -> tuple[Edit, ...]:
    """The edits of draws, each of which sees what those before it leave, as edits of the text."""
    now: list[tuple[str, int | None]] = [(character, place) for place, character in enumerate(text)]
    for draw in draws:
        if isinstance(draw, Edits):
            for start, end, new in reversed(draw.edits):
                now[start:end] = [(character, None) for character in new]
    return tuple(_edits(text, now))


def _edits(text: str, now: Sequence[tuple[str, int | None]]) -> Iterator[Edit]:
    """The edits that lead from a text to characters of which each knows its place in it, or that it is new."""
    at, new = 0, ""
    for character, place in [*now, ("", len(text))]:
        if place is None:
            new += character
            continue
        if text[at:place] != new:
            yield Edit(at, place, new)
        at, new = place + 1, ""


def by_words(before: str, after: str) -> tuple[Edit, ...]:
    """The edits that lead from one text to the other, of whole words, marks and spaces."""
    old, new = _tokens(before), _tokens(after)
    matcher = SequenceMatcher(None, [before[a:b] for a, b in old], [after[a:b] for a, b in new], autojunk=False)
    same = [(old[i + k], new[j + k]) for i, j, size in matcher.get_matching_blocks() for k in range(size)]
    ends = [(0, 0), *((one.end, other.end) for one, other in same)]
    starts = [*((one.start, other.start) for one, other in same), (len(before), len(after))]
    between = (_without_common_spaces(before[i:k], after[j:m], i) for (i, j), (k, m) in zip(ends, starts, strict=True))
    return tuple(edit for edit in between if edit is not None)


def _without_common_spaces(old: str, new: str, start: int) -> Edit | None:
    """The edit of what stands between words that stayed, without the spaces at its ends that stay too."""
    if old == new:
        return None
    head = _common_spaces(old, new)
    tail = _common_spaces(old[head:][::-1], new[head:][::-1])
    return Edit(start + head, start + len(old) - tail, new[head : len(new) - tail])


def _common_spaces(one: str, other: str) -> int:
    """With how many spaces both begin."""
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1] and pair[0].isspace(), zip(one, other, strict=False))
    )


def _tokens(text: str) -> list[Span]:
    """The words, and every mark between them; spaces are none."""
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
    """The text as stretches that stayed and stretches that became others, in order."""
    result, at = [], 0
    for start, end, new in edits:
        result += [Piece(text[at:start], text[at:start]), Piece(text[start:end], new)]
        at = end
    rest = text[at:]
    return [piece for piece in [*result, Piece(rest, rest)] if piece != ("", "")]


CUT = "[…]"
"""Stands for what is left out."""


def shortened(parts: Sequence[Piece], longest: int) -> list[Piece]:
    """The same, long stretches that stayed cut; of the first and the last what is next to a change remains."""
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
    """The whole words at the beginning; of a text without spaces, as many characters."""
    return text[:length].rpartition(" ")[0] or text[:length]


def _tail(text: str, length: int) -> str:
    return text[-length:].partition(" ")[2] or text[-length:]
