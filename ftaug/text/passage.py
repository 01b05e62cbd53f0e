"""A text as an augmentation sees it: words and sentences by their offsets, some of them protected; and its edits."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ftaug.config.draws import Told

if TYPE_CHECKING:
    from ftaug.text.lexicon import Lexicon


class Span(NamedTuple):
    """The characters of a text from `start` up to `end`."""

    start: int
    end: int

    def meets(self, other: Span) -> bool:
        """Whether the two share a character; an empty span, whether it lies inside the other."""
        return self.start < other.end and other.start < self.end


class Edit(NamedTuple):
    """The characters from `start` up to `end` become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Edits(Told):
    """What an op does to a passage: edits in the order of their places, none touching another."""

    edits: tuple[Edit, ...]

    def left(self, seen: Passage) -> Passage:
        """The passage after the edits."""
        after: Passage = super().left(seen)
        return after.edited(self.edits)


@dataclass(frozen=True)
class Protection(Told):
    """Spans that no later op may touch, in place of those that are protected unless one says otherwise."""

    spans: tuple[Span, ...]

    def left(self, seen: Passage) -> Passage:
        """The passage with these spans protected."""
        return replace(seen, protected=self.spans)


@dataclass(frozen=True)
class Passage:
    """A text and what of it is to stay as it is."""

    text: str
    labels: tuple[str, ...] = ()
    protected: tuple[Span, ...] = ()
    lexicon: Lexicon | None = field(default=None, compare=False)  # what the model knows of words

    @cached_property
    def words(self) -> tuple[Span, ...]:
        """All words, by Unicode's rules (UAX 29): runs between word boundaries with a letter or a digit in them."""
        return words_of(self.text)

    @cached_property
    def free(self) -> tuple[Span, ...]:
        """The words that an op may change."""
        return tuple(word for word in self.words if self.may_change(word))

    @cached_property
    def sentences(self) -> tuple[Span, ...]:
        """The sentences, each with the white space behind it; together they are the text."""
        return sentences_of(self.text)

    def may_change(self, span: Span) -> bool:
        """Whether no protected span is in the way."""
        return not any(span.meets(other) for other in self.protected)

    def __getitem__(self, span: Span) -> str:
        return self.text[span.start : span.end]

    def relabelled(self, labels: tuple[str, ...]) -> Passage:
        """The passage of other classes."""
        return replace(self, labels=labels)

    def edited(self, edits: Sequence[Edit]) -> Passage:
        """The passage after edits; protected spans keep their characters and move with them."""
        parts, at = [], 0
        starts, shifts = [], []
        shift = 0
        for start, end, text in edits:
            if start < at or not self.may_change(Span(start, end)):
                raise AssertionError(f"an edit of {start}:{end} is out of order, or touches what is protected")
            parts += [self.text[at:start], text]
            at = end
            shift += len(text) - (end - start)
            starts.append(end)
            shifts.append(shift)
        moved = tuple(_moved(span, starts, shifts) for span in self.protected)
        return replace(self, text="".join([*parts, self.text[at:]]), protected=moved)


def _moved(span: Span, ends: Sequence[int], shifts: Sequence[int]) -> Span:
    """Where a span is after the edits that end at or before its start."""
    before = bisect_left(ends, span.start + 1)
    shift = shifts[before - 1] if before else 0
    return Span(span.start + shift, span.end + shift)


@lru_cache(maxsize=256)
def pattern(expression: str, flags: int = 0) -> Any:
    """A compiled expression of the library `regex`, which knows Unicode's words and characters."""
    import regex

    return regex.compile(expression, flags | regex.VERSION0)


@lru_cache(maxsize=4096)
def words_of(text: str) -> tuple[Span, ...]:
    """The words of a text."""
    import regex

    found = pattern(r"\b", regex.WORD | regex.UNICODE).finditer(text)
    bounds = [match.start() for match in found]
    letters = pattern(r"[\p{L}\p{N}]")
    runs = (Span(a, b) for a, b in pairwise(bounds))
    return tuple(run for run in runs if letters.search(text, run.start, run.end))


def characters_of(text: str) -> list[str]:
    """The characters as a person counts them (UAX 29): a letter with its marks, an emoji with its parts."""
    return list(pattern(r"\X").findall(text))


def sentences_of(text: str) -> tuple[Span, ...]:
    """The sentences of a text: each ends behind `.`, `!`, `?` and the like, white space included."""
    ends = [m.end() for m in pattern(r"[.!?…]+[\"'”’)\]]*\s+|[。！？]+[”’」』]*\s*|\n\s*\n\s*").finditer(text)]
    bounds = [0, *(end for end in ends if end < len(text)), len(text)]
    return tuple(Span(a, b) for a, b in pairwise(bounds) if b > a)


def chosen(rng: np.random.Generator, items: Sequence[Any], share: float) -> list[Any]:
    """A share of the items, in their order: at least one where there are any and the share is not 0."""
    if not items or share <= 0:
        return []
    count = min(len(items), max(1, round(share * len(items))))
    return [items[i] for i in sorted(rng.choice(len(items), count, replace=False).tolist())]


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in order, those that meet as one."""
    return tuple(_merged(sorted(spans)))


def _merged(spans: Sequence[Span]) -> Iterator[Span]:
    current: Span | None = None
    for span in spans:
        if current is not None and span.start <= current.end:
            current = Span(current.start, max(current.end, span.end))
            continue
        if current is not None:
            yield current
        current = span
    if current is not None:
        yield current
