"""What differs between a text and another made of it: true edits composed, or words compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import NamedTuple

from ftaug.config.draws import Told
from ftaug.text.passage import Edit, Edits, characters_of, words_of


class Piece(NamedTuple):
    """A stretch of the text before and after; the two are the same where nothing was changed."""

    before: str
    after: str

    @property
    def kept(self) -> bool:
        """Whether nothing was changed."""
        return self.before == self.after


def composed(text: str, draws: Iterable[Told]) -> tuple[Edit, ...]:
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
    starts = [0]
    for token in old:
        starts.append(starts[-1] + len(token))
    matcher = SequenceMatcher(str.isspace, old, new, autojunk=False)
    return tuple(
        Edit(starts[a], starts[b], "".join(new[c:d])) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"
    )


def _tokens(text: str) -> list[str]:
    """Words, and what stands between them character by character; together they are the text."""
    words = words_of(text)
    bounds = [0, *(place for word in words for place in word), len(text)]
    inside = {word.start for word in words}
    return [
        token
        for start, end in pairwise(bounds)
        if end > start
        for token in ([text[start:end]] if start in inside else characters_of(text[start:end]))
    ]


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
