"""Sentence-level augmentations: shuffle and crop."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.registry import FrozenDict
from ftaug.config.types import Share
from ftaug.text import augmentation
from ftaug.text.augmentations.words import SHARE
from ftaug.text.edits import Edit, Edits, OpProbability, Passage, Rewritten, Span, changes, rounded


@augmentation.register(severity=SHARE)
def shuffle_sentences(
    passage: Passage, rng: np.random.Generator, *, share: Share = 1.0, probability: OpProbability = 1.0
) -> Edits | None:
    """Shuffle sentences; protected parts move with their sentences.

    Settings:
        share: the share of the sentences to shuffle; at least two, not all equal

    Spaces and line breaks between sentences stay in place.
    """
    units = _units(passage)
    if not happens(rng, probability) or len(units) < 2:
        return None
    if share <= 0:
        return None
    sentences = [passage[unit] for unit in units]
    order = _reordered(sentences, rng.random(len(units)).argsort().tolist(), max(2, rounded(rng, share * len(units))))
    edits = [Edit(*units[to], sentences[come]) for to, come in order.items() if sentences[to] != sentences[come]]
    if not edits:
        return None
    protected = _protected_after(passage, units, order)
    return Rewritten(tuple(edits), protected=protected, values=FrozenDict(changes=len(edits)))


@augmentation.register(severity=SHARE)
def crop_sentences(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.3, probability: OpProbability = 1.0
) -> Edits | None:
    """Crop sentences at the beginning and the end; sentences with protected parts, and all between them, are kept.

    Settings:
        share: the share of the sentences to crop; at least one sentence is kept. If the share is less than one
            sentence, one is cropped with the corresponding probability
    """
    units = _units(passage)
    fires, cut = happens(rng, probability), min(rounded(rng, share * len(units)), len(units) - 1)
    if not fires or cut < 1:
        return None
    first = int(rng.random() * (cut + 1))
    last = len(units) - (cut - first)
    held = [i for i, unit in enumerate(units) if not passage.may_change(unit)]
    first, last = min([first, *held[:1]]), max([last, *(i + 1 for i in held[-1:])])
    head, tail = Edit(units[0].start, units[first].start, ""), Edit(units[last - 1].end, units[-1].end, "")
    return changes(passage, [edit for edit in (head, tail) if edit.end > edit.start])


def _units(passage: Passage) -> list[Span]:
    """Return the sentences without trailing white space; sentences that a protected span connects are merged."""
    units: list[Span] = []
    for start, end in passage.sentences:
        core = Span(start, start + len(passage.text[start:end].rstrip()))
        if core.end == core.start:
            continue
        if units and not passage.may_change(Span(units[-1].end, core.start)):
            units[-1] = Span(units[-1].start, core.end)
        else:
            units.append(core)
    return units


def _reordered(sentences: Sequence[str], drawn: Sequence[int], count: int) -> dict[int, int]:
    """Map places to the sentences moved there: the first `count` drawn, in an order that changes the text."""
    first = list(drawn[:count])
    if all(sentences[i] == sentences[first[0]] for i in first):
        first[-1:] = [i for i in drawn if sentences[i] != sentences[first[0]]][:1] or first[-1:]
    places = sorted(first)
    same = all(sentences[to] == sentences[come] for to, come in zip(places, first, strict=True))
    return dict(zip(places, [*places[1:], places[0]] if same else first, strict=True))


def _protected_after(passage: Passage, units: list[Span], order: dict[int, int]) -> tuple[Span, ...]:
    """Return the protected spans after sentences have been reordered."""
    if not passage.protected:
        return ()
    starts = [unit.start for unit in units]
    arrival: dict[int, int] = {}
    shift = 0
    for place, unit in enumerate(units):
        come = order.get(place, place)
        arrival[come] = unit.start + shift - units[come].start
        shift += (units[come].end - units[come].start) - (unit.end - unit.start)
    shifted = []
    for span in passage.protected:
        at = bisect_right(starts, span.start) - 1
        by = arrival[at] if at >= 0 and span.start < units[at].end else 0
        shifted.append(Span(span.start + by, span.end + by))
    return tuple(sorted(shifted))
