"""Unicode text segmentation: words, grapheme clusters and sentences, as character offsets."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from ftaug.errors import missing_extra


class Span(NamedTuple):
    """The characters of a text from `start` up to `end`."""

    start: int
    end: int

    def meets(self, other: Span) -> bool:
        """Whether two spans overlap; for an empty span, whether it lies inside the other."""
        return self.start < other.end and other.start < self.end


@lru_cache(maxsize=256)
def pattern(expression: str, flags: int = 0) -> Any:
    """Compile a regular expression with the library `regex`, which supports Unicode segmentation and properties."""
    try:
        import regex
    except ImportError:
        raise missing_extra("modality 'text'", "regex", "text") from None
    return regex.compile(expression, flags | regex.VERSION0)


_NEW = tuple.__new__  # a third of the time of Span(...)


@lru_cache(maxsize=256)
def words_of(text: str) -> tuple[Span, ...]:
    """Return spans of the words of a text (UAX 29): runs between word boundaries that have a letter or a digit.

    In scripts without spaces that is a character in Chinese or Thai, a run of katakana in Japanese: real word
    segmentation there needs a dictionary.
    """
    spans: list[Span] = []
    at = 0
    for chunk in text.replace("\t", " ").replace("\n", " ").replace("\r", " ").split(" "):
        if chunk:
            for start, end in _words_of_chunk(chunk):
                spans.append(_NEW(Span, (at + start, at + end)))
        at += len(chunk) + 1
    return tuple(spans)


@lru_cache(maxsize=1 << 16)
def _words_of_chunk(chunk: str) -> tuple[tuple[int, int], ...]:
    """Segment a chunk between spaces; cached, since no word contains a space and most chunks repeat."""
    import regex

    bounds = [match.start() for match in pattern(r"\b", regex.WORD | regex.UNICODE).finditer(chunk)]
    if not chunk.isascii():  # a word may end inside a character, as in Thai
        whole = {match.end() for match in pattern(r"\X").finditer(chunk)}
        bounds = [at for at in bounds if at in whole or at == 0]
    letters = pattern(r"[\p{L}\p{N}]")
    return tuple((a, b) for a, b in pairwise(bounds) if letters.search(chunk, a, b))


@lru_cache(maxsize=1 << 14)
def characters_of(text: str) -> tuple[str, ...]:
    """Split a text into grapheme clusters (UAX 29): a letter with its combining marks, an emoji with its parts."""
    return tuple(pattern(r"\X").findall(text))


def whole_characters(text: str, spans: Iterable[Span]) -> list[Span]:
    """Widen ordered spans to whole grapheme clusters; merge those that then overlap."""
    spans = [span for span in spans if span.end > span.start]
    if text.isascii():
        widened = spans
    else:
        bounds = [match.start() for match in pattern(r"\X").finditer(text)] + [len(text)]
        widened = [
            Span(bounds[bisect_right(bounds, start) - 1], bounds[bisect_left(bounds, end)]) for start, end in spans
        ]
    result: list[Span] = []
    for span in widened:
        if result and span.start < result[-1].end:
            result[-1] = Span(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


SENTENCE_ENDS = (
    r"(?<!\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|e\.g|i\.e|\p{Lu}))[.!?…؟۔।]+[\"'”’»)\]]*\s+(?!\p{Ll})"
    r"|[。！？]+[”’」』]*\s*|\n\s*\n\s*"
)


@lru_cache(maxsize=256)
def sentences_of(text: str) -> tuple[Span, ...]:
    """Return spans of the sentences, including trailing white space: split after `.`, `!`, `?` and the like.

    Not after an initial or a title (`J. Smith`, `Dr. Who`), nor before a lower-case letter.
    """
    ends = [match.end() for match in pattern(SENTENCE_ENDS).finditer(text)]
    bounds = [0, *(end for end in ends if end < len(text)), len(text)]
    return tuple(Span(a, b) for a, b in pairwise(bounds) if b > a)
