"""A text as an augmentation sees it: words and sentences by their offsets, some of them protected; and its edits."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from ftaug.augment.transform import Transform
from ftaug.config.registry import FrozenDict
from ftaug.text.segmentation import Span as Span
from ftaug.text.segmentation import sentences_of, words_of

if TYPE_CHECKING:
    from ftaug.text.lexicon import Lexicon

Item = TypeVar("Item")


class Edit(NamedTuple):
    """The characters from `start` up to `end` become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Edits(Transform):
    """What an op does to a passage: edits in the order of their places, none touching another."""

    edits: tuple[Edit, ...]

    def output_view(self, seen: Passage) -> Passage:
        """The passage after the edits."""
        after: Passage = super().output_view(seen)
        return after.edited(self.edits)


@dataclass(frozen=True)
class Rewritten(Edits):
    """Edits of what is protected too: it moves with them, as a whole, to where it is from then on."""

    protected: tuple[Span, ...]

    def output_view(self, seen: Passage) -> Passage:
        """The passage after the edits."""
        after: Passage = Transform.output_view(self, seen)
        return replace(after, text=_joined(after.text, self.edits), protected=self.protected)


@dataclass(frozen=True)
class Protection(Transform):
    """Spans that no later op may touch, in place of those that are protected unless one says otherwise."""

    spans: tuple[Span, ...]

    def output_view(self, seen: Passage) -> Passage:
        """The passage with these spans protected."""
        return replace(seen, protected=self.spans)


@dataclass(frozen=True)
class Passage:
    """A text and what of it is to stay as it is."""

    text: str
    labels: tuple[str, ...] = ()
    protected: tuple[Span, ...] = ()  # in order, none touching another
    lexicon: Lexicon | None = field(default=None, compare=False)  # what the model knows of words

    @cached_property
    def words(self) -> tuple[Span, ...]:
        """All words, by Unicode's rules (UAX 29): runs between word boundaries with a letter or a digit in them."""
        return words_of(self.text)

    @cached_property
    def free(self) -> tuple[Span, ...]:
        """The words that an op may change."""
        return tuple(self._free()) if self.protected else self.words

    def _free(self) -> Iterator[Span]:
        """The words that no protected span meets, both being in order."""
        coming = iter(self.protected)
        span = next(coming, None)
        for word in self.words:
            while span is not None and span.end <= word.start:
                span = next(coming, None)
            if span is None or word.end <= span.start:
                yield word

    @cached_property
    def sentences(self) -> tuple[Span, ...]:
        """The sentences, each with the white space behind it; together they are the text."""
        return sentences_of(self.text)

    @cached_property
    def _ends(self) -> list[int]:
        return [span.end for span in self.protected]

    def may_change(self, span: Span) -> bool:
        """Whether no protected span is in the way."""
        first = bisect_right(self._ends, span.start)
        return first == len(self._ends) or not span.meets(self.protected[first])

    def __getitem__(self, span: Span) -> str:
        return self.text[span.start : span.end]

    def relabelled(self, labels: tuple[str, ...]) -> Passage:
        """The passage of other classes."""
        return replace(self, labels=labels)

    def edited(self, edits: Sequence[Edit]) -> Passage:
        """The passage after edits; protected spans keep their characters and move with them."""
        ends, shifts, at, shift = [], [], 0, 0
        for start, end, text in edits:
            if start < at or not self.may_change(Span(start, end)):
                raise AssertionError(f"an edit of {start}:{end} is out of order, or touches what is protected")
            at = end
            shift += len(text) - (end - start)
            ends.append(end)
            shifts.append(shift)
        moved = tuple(_moved(span, ends, shifts) for span in self.protected)
        return Passage(_joined(self.text, edits), self.labels, moved, self.lexicon)


def _joined(text: str, edits: Sequence[Edit]) -> str:
    """A text after edits."""
    parts, at = [], 0
    for start, end, new in edits:
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def _moved(span: Span, ends: Sequence[int], shifts: Sequence[int]) -> Span:
    """Where a span is after the edits that end at or before its start."""
    before = bisect_left(ends, span.start + 1)
    shift = shifts[before - 1] if before else 0
    return Span(span.start + shift, span.end + shift)


def changes(passage: Passage, edits: Iterable[Edit]) -> Edits | None:
    """The edits that change something, in order; none if nothing does."""
    kept = tuple(sorted(edit for edit in edits if passage.text[edit.start : edit.end] != edit.text))
    return Edits(kept, values=FrozenDict(changes=len(kept))) if kept else None


def chosen(rng: np.random.Generator, items: Sequence[Item], share: float) -> list[Item]:
    """A share of the items, in their order: at least one where there are any and the share is not 0.

    With the same draws a larger share has all that a smaller one has.
    """
    return [items[i] for i in sorted(drawn_first(rng, len(items), share))]


def drawn_first(rng: np.random.Generator, total: int, share: float, least: int = 1) -> list[int]:
    """The positions of a share of so many items, in random order; at least so many, if the share is not 0."""
    if not total or share <= 0:
        return []
    order = rng.random(total).argsort()
    first: list[int] = order[: max(least, rounded(rng, share * total))].tolist()
    return first


def rounded(rng: np.random.Generator, number: float) -> int:
    """A number rounded up or down at random, so that the mean is the number: 2.3 is 3 in 30 % of the draws."""
    return int(number + rng.random())


def pick(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    """One of the items, each as likely: what `rng.choice` does in a tenth of the time."""
    return items[int(rng.random() * len(items))]


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in order, those that meet as one, without empty ones."""
    return tuple(_merged(sorted(span for span in spans if span.end > span.start)))


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
