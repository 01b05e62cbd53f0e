"""Word-level augmentations: deletion, swap, mask, and insertion of punctuation (AEDA)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.types import Share, Text
from ftaug.text import augmentation
from ftaug.text.augmentations.masks import mask_of, needs_mask
from ftaug.text.edits import Edit, Edits, OpProbability, Passage, Span, changes, chosen, drawn_first, pick, rounded

SHARE: Mapping[str, tuple[Any, Any]] = {"share": (0.0, 1.0)}
"""Severity range of ops whose strength is the setting `share`."""

By = Literal["mask", "delete"]


@augmentation.register(severity=SHARE, standard=True)
def delete(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: OpProbability = 1.0
) -> Edits | None:
    """Delete words, each with an adjacent space.

    Settings:
        share: the share of the unprotected words to delete; at least one, never all words of the text

    One of the four operations of EDA, Wei and Zou 2019.
    """
    if not happens(rng, probability):
        return None
    return changes(passage, without(passage, _keep_one_word(passage, drawn_first(rng, len(passage.free), share))))


@augmentation.register(severity=SHARE, standard=True)
def swap(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: OpProbability = 1.0
) -> Edits | None:
    """Swap words in pairs, and a triple if their number is odd; never equal words.

    Settings:
        share: the share of the unprotected words to swap; at least two words

    One of the four operations of EDA, Wei and Zou 2019. Spaces and punctuation stay where they are.
    """
    free = passage.free
    if not happens(rng, probability) or len(free) < 2 or share <= 0:
        return None
    words = [passage[word] for word in free]
    order = rng.random(len(free)).argsort().tolist()
    cycles = _unequal_cycles(words, order, max(2, rounded(rng, share * len(free))))
    moves = ((to, come) for cycle in cycles for to, come in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    return changes(passage, (Edit(*free[to], words[come]) for to, come in moves))


@augmentation.register(severity=SHARE, standard=True)
def aeda(
    passage: Passage,
    rng: np.random.Generator,
    *,
    share: Share = 1 / 3,
    marks: tuple[Text, ...] = (".", ";", "?", ":", "!", ","),
    probability: OpProbability = 1.0,
) -> Edits | None:
    """Insert punctuation before words at random places; words and their order are unchanged.

    Settings:
        share: the maximum number of marks, as a share of the possible places, rounded down; their number is drawn
            uniformly from 1 to this, and is 1 in short texts
        marks: the punctuation marks to insert

    AEDA, Karimi et al. 2021.
    """
    places = [word for word in passage.words if passage.may_change(Span(word.start, word.start))]
    if not happens(rng, probability) or not places or share <= 0 or not marks:
        return None
    count = 1 + int(rng.random() * max(1, math.floor(share * len(places) + 1e-9)))
    order = drawn_first(rng, len(places), 1.0)[:count]
    return changes(passage, [_insert_mark(passage, places[i], pick(rng, marks)) for i in sorted(order)])


@augmentation.register(severity=SHARE, ahead=needs_mask("mask"))
def mask(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.15, probability: OpProbability = 1.0
) -> Edits | None:
    """Replace words by the model's mask token.

    Settings:
        share: the share of the unprotected words to mask; at least one word
    """
    if not happens(rng, probability):
        return None
    token = mask_of(passage)
    return changes(passage, [Edit(*word, token) for word in chosen(rng, passage.free, share)])


def hidden(passage: Passage, words: Sequence[Span], by: By) -> Edits | None:
    """Mask or delete words or parts of words."""
    token = mask_of(passage) if by == "mask" else ""
    return changes(passage, [Edit(*word, token) for word in words] if token else without(passage, words))


def without(passage: Passage, words: Iterable[Span]) -> Iterator[Edit]:
    """Yield deletions of words, in order, each with the space before it, or after it if there is none."""
    text, at, something_stays = passage.text, 0, False
    for start, end in words:
        something_stays = something_stays or bool(text[at:start].strip())
        goes_on = text[end : end + 1].isalnum()  # only a part of a word is deleted
        before = start - 1 if start - 1 >= at and text[start - 1].isspace() and not goes_on else start
        behind = end + 1 if text[end : end + 1].isspace() else end
        wide = Span(before, end) if before < start else Span(start, end if something_stays else behind)
        span = wide if passage.may_change(wide) else Span(start, end)
        yield Edit(*span, "")
        at = span.end


def _keep_one_word(passage: Passage, order: Sequence[int]) -> list[Span]:
    """Return the free words at these positions; drop the last one if no word of the text would remain."""
    indices = order[: len(passage.words) - 1]
    return [passage.free[i] for i in sorted(indices)]


def _unequal_cycles(words: Sequence[str], order: Sequence[int], count: int) -> list[list[int]]:
    """Select up to `count` positions, in the given order, as swap cycles of unequal words: pairs and perhaps a triple.

    All can be paired if no word fills more than half of the positions. With equal words side by side, entries half the
    length apart differ.
    """
    most_common = Counter(words).most_common(1)[0][1]
    count = min(count, len(words), 2 * (len(words) - most_common))
    taken: dict[str, list[int]] = {}
    left = count
    for position in order:
        positions = taken.setdefault(words[position], [])
        if left and len(positions) < count // 2:
            positions.append(position)
            left -= 1
    side_by_side = [position for positions in taken.values() for position in positions]
    half = len(side_by_side) // 2
    cycles = [[side_by_side[i], side_by_side[i + half]] for i in range(half)]
    if half and len(side_by_side) % 2:
        cycles[0].append(side_by_side[-1])
    return cycles


def _insert_mark(passage: Passage, word: Span, mark: str) -> Edit:
    """Insert a mark before a word, followed by a space unless words are adjacent, as in Chinese."""
    touches = word.start > 0 and passage.text[word.start - 1].isalnum()
    return Edit(word.start, word.start, mark if touches else f"{mark} ")
