"""Augmentations of sentences: in another order, or fewer of them."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from ftaug.config.draws import happens
from ftaug.config.registry import FrozenDict
from ftaug.config.types import Probability, Share
from ftaug.text import augmentation
from ftaug.text.augmentations.words import SHARE
from ftaug.text.passage import Edit, Edits, Passage, Rewritten, Span, changes, drawn_first


@augmentation.register(severity=SHARE)
def shuffle_sentences(
    passage: Passage, rng: np.random.Generator, *, share: Share = 1.0, probability: Probability = 1.0
) -> Edits | None:
    """Put sentences into another order; protected parts move with theirs.

    Settings:
        share: the share of the sentences that changes places; two at least
        probability: the chance that the op fires for a text

    What stands between sentences stays: spaces, line breaks.
    """
    units = _units(passage)
    if not happens(rng, probability) or len(units) < 2:
        return None
    drawn = drawn_first(rng, len(units), share, least=2)
    places = sorted(drawn)
    takes = drawn if drawn != places else [*places[1:], *places[:1]]
    order = dict(zip(places, takes, strict=True))
    edits = [
        Edit(*units[to], passage[units[come]])
        for to, come in order.items()
        if passage[units[to]] != passage[units[come]]
    ]
    if not edits:
        return None
    moved = _moved(passage, units, order)
    return Rewritten(tuple(edits), protected=moved, values=FrozenDict(changes=len(edits)))


@augmentation.register(severity=SHARE)
def crop_sentences(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.3, probability: Probability = 1.0
) -> Edits | None:
    """Cut sentences off the beginning and the end; those with protected parts, and all between them, stay.

    Settings:
        share: the share of the sentences that is cut off; one sentence stays at least
        probability: the chance that the op fires for a text
    """
    units = _units(passage)
    cut = min(round(share * len(units)), len(units) - 1)
    if not happens(rng, probability) or cut < 1:
        return None
    first = int(rng.random() * (cut + 1))
    last = len(units) - (cut - first)
    held = [i for i, unit in enumerate(units) if not passage.may_change(unit)]
    first, last = min([first, *held[:1]]), max([last, *(i + 1 for i in held[-1:])])
    head, tail = Edit(units[0].start, units[first].start, ""), Edit(units[last - 1].end, units[-1].end, "")
    return changes(passage, [edit for edit in (head, tail) if edit.end > edit.start])


def _units(passage: Passage) -> list[Span]:
    """The sentences without the white space behind them; those that a protected part reaches over are one."""
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


def _moved(passage: Passage, units: list[Span], order: dict[int, int]) -> tuple[Span, ...]:
    """Where what is protected is when sentences have changed places: each place by the one that comes to it."""
    if not passage.protected:
        return ()
    starts = [unit.start for unit in units]
    arrival: dict[int, int] = {}
    shift = 0
    for place, unit in enumerate(units):
        come = order.get(place, place)
        arrival[come] = unit.start + shift - units[come].start
        shift += (units[come].end - units[come].start) - (unit.end - unit.start)
    found = []
    for span in passage.protected:
        at = bisect_right(starts, span.start) - 1
        by = arrival[at] if at >= 0 and span.start < units[at].end else 0
        found.append(Span(span.start + by, span.end + by))
    return tuple(sorted(found))
