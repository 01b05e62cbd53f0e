"""Text edits: the passage an augmentation sees (word and sentence offsets, protected spans) and its replacements."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeVar

import numpy as np

from ftaug.augment.transform import Transform
from ftaug.config.registry import FrozenDict
from ftaug.config.types import Doc, Probability
from ftaug.text.segmentation import Span as Span
from ftaug.text.segmentation import sentences_of, words_of

if TYPE_CHECKING:
    from ftaug.text.lexicon import Lexicon

OpProbability = Annotated[Probability, Doc("the chance that the op fires for a text")]
Item = TypeVar("Item")


class Edit(NamedTuple):
    """Replace the characters from `start` up to `end` by `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Edits(Transform):
    """Non-overlapping edits of a passage, ordered by position."""

    edits: tuple[Edit, ...]

    def output_view(self, seen: Passage) -> Passage:
        """Return the passage after the edits."""
        result: Passage = super().output_view(seen)
        return result.edited(self.edits)


@dataclass(frozen=True)
class Rewritten(Edits):
    """Edits that may also change protected text; `protected` holds the new protected spans."""

    protected: tuple[Span, ...]

    def output_view(self, seen: Passage) -> Passage:
        """Return the passage after the edits."""
        after: Passage = Transform.output_view(self, seen)
        return replace(after, text=_apply_edits(after.text, self.edits), protected=self.protected)


@dataclass(frozen=True)
class Protection(Transform):
    """Spans that no later op may change; replaces the protection by default (negations)."""

    spans: tuple[Span, ...]

    def output_view(self, seen: Passage) -> Passage:
        """Return the passage with these spans protected."""
        return replace(seen, protected=self.spans)


@dataclass(frozen=True)
class Passage:
    """A text with protected spans that no op may change."""

    text: str
    labels: tuple[str, ...] = ()
    protected: tuple[Span, ...] = ()  # ordered, non-overlapping
    lexicon: Lexicon | None = field(default=None, compare=False)  # vocabulary and embeddings of the model

    @cached_property
    def words(self) -> tuple[Span, ...]:
        """Spans of all words (Unicode word segmentation, UAX 29) with a letter or a digit."""
        return words_of(self.text)

    @cached_property
    def free(self) -> tuple[Span, ...]:
        """Spans of the words that an op may change."""
        return tuple(self._free()) if self.protected else self.words

    def _free(self) -> Iterator[Span]:
        """Yield the words that overlap no protected span, by merging the two ordered sequences."""
        remaining = iter(self.protected)
        span = next(remaining, None)
        for word in self.words:
            while span is not None and span.end <= word.start:
                span = next(remaining, None)
            if span is None or word.end <= span.start:
                yield word

    @cached_property
    def sentences(self) -> tuple[Span, ...]:
        """Spans of the sentences, including trailing white space; joined, they are the text."""
        return sentences_of(self.text)

    @cached_property
    def _ends(self) -> list[int]:
        return [span.end for span in self.protected]

    def may_change(self, span: Span) -> bool:
        """Whether a span overlaps no protected span."""
        first = bisect_right(self._ends, span.start)
        return first == len(self._ends) or not span.meets(self.protected[first])

    def __getitem__(self, span: Span) -> str:
        return self.text[span.start : span.end]

    def relabeled(self, labels: tuple[str, ...]) -> Passage:
        """Return the passage with other labels."""
        return replace(self, labels=labels)

    def edited(self, edits: Sequence[Edit]) -> Passage:
        """Apply edits in one pass; protected spans are shifted by the change of length before them."""
        ends, shifts, at, shift = [], [], 0, 0
        for start, end, text in edits:
            if start < at or not self.may_change(Span(start, end)):
                raise AssertionError(f"an edit of {start}:{end} is out of order, or touches what is protected")
            at = end
            shift += len(text) - (end - start)
            ends.append(end)
            shifts.append(shift)
        protected = tuple(_shifted(span, ends, shifts) for span in self.protected)
        return Passage(_apply_edits(self.text, edits), self.labels, protected, self.lexicon)


def _apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Return a text after edits."""
    parts, at = [], 0
    for start, end, new in edits:
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def _shifted(span: Span, ends: Sequence[int], shifts: Sequence[int]) -> Span:
    """Shift a span by the change of length of the edits that end at or before its start.

    `shifts` holds cumulative changes of length, so that one binary search suffices.
    """
    before = bisect_left(ends, span.start + 1)
    shift = shifts[before - 1] if before else 0
    return Span(span.start + shift, span.end + shift)


def changes(passage: Passage, edits: Iterable[Edit]) -> Edits | None:
    """Return the edits that change the text, in order; None if there are none."""
    effective = tuple(sorted(edit for edit in edits if passage.text[edit.start : edit.end] != edit.text))
    return Edits(effective, values=FrozenDict(changes=len(effective))) if effective else None


def chosen(rng: np.random.Generator, items: Sequence[Item], share: float) -> list[Item]:
    """Sample a share of the items, in their order: at least one unless there are none or the share is 0.

    With the same random state, a larger share selects a superset of a smaller one.
    """
    return [items[i] for i in sorted(drawn_first(rng, len(items), share))]


def drawn_first(rng: np.random.Generator, total: int, share: float, least: int = 1) -> list[int]:
    """Sample indices of a share of `total` items, in random order; at least `least` unless the share is 0."""
    if not total or share <= 0:
        return []
    order = rng.random(total).argsort()
    first: list[int] = order[: max(least, rounded(rng, share * total))].tolist()
    return first


def rounded(rng: np.random.Generator, number: float) -> int:
    """Round stochastically, so that the mean is the number: 2.3 becomes 3 in 30 % of the draws."""
    return int(number + rng.random())


def pick(rng: np.random.Generator, items: Sequence[Item]) -> Item:
    """Choose an item uniformly, in a tenth of the time of `rng.choice`."""
    return items[int(rng.random() * len(items))]


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sort spans, merge those that overlap or touch, and drop empty ones."""
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
