"""Augmentations of the characters in words: misprints and misreadings. A character is what a person counts as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, Literal, TypeVar

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.types import Count, Probability, Share
from ftaug.errors import ExperimentError
from ftaug.text import augmentation
from ftaug.text.augmentations.words import SHARE
from ftaug.text.edits import Edit, Edits, Passage, changes, chosen, pick
from ftaug.text.lexicon import Lexicon
from ftaug.text.segmentation import characters_of

Place = TypeVar("Place")

ROWS = (("1234567890", 0.0), ("qwertyuiop", 0.5), ("asdfghjkl", 0.75), ("zxcvbnm", 1.25))
"""The rows of a QWERTY keyboard, each with how far to the right it begins."""

CONFUSED = "0oO 1lI 5sS 8B 2zZ 6b 9gq rn,m cl,d vv,w ii,u ce hb uv ij ft"
"""What a machine that reads takes for one another: the characters of a group, or the two beside a comma."""


@augmentation.register(severity=SHARE)
def keyboard(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: Probability = 1.0
) -> Edits | None:
    """Hit a key beside the right one.

    Settings:
        share: the share of the words with a letter or digit of a QWERTY keyboard that gets one such misprint; one at
            least
        probability: the chance that the op fires for a text
    """

    def misprint(characters: Sequence[str], at: int) -> list[str]:
        hit = pick(rng, _neighbours()[characters[at].lower()])
        return [*characters[:at], hit.upper() if characters[at].isupper() else hit, *characters[at + 1 :]]

    return _respelt(passage, rng, share, probability, _keys, misprint)


@augmentation.register(severity=SHARE)
def ocr(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: Probability = 1.0
) -> Edits | None:
    """Misread characters as a scanner does: 0 for o, 1 for l, m for rn.

    Settings:
        share: the share of the words with such a character that is misread in one place; one at least
        probability: the chance that the op fires for a text
    """

    def misreading(characters: Sequence[str], place: tuple[int, int]) -> list[str]:
        start, end = place
        return [*characters[:start], pick(rng, _confused()["".join(characters[start:end])]), *characters[end:]]

    return _respelt(passage, rng, share, probability, _misreadable, misreading)


@augmentation.register(severity=SHARE)
def swap_characters(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: Probability = 1.0
) -> Edits | None:
    """Let two neighbouring characters of a word change places.

    Settings:
        share: the share of the words with two unequal characters in which that happens; one at least
        probability: the chance that the op fires for a text
    """

    def swapped(characters: Sequence[str], at: int) -> list[str]:
        return [*characters[:at], characters[at + 1], characters[at], *characters[at + 2 :]]

    return _respelt(passage, rng, share, probability, _unequal_pairs, swapped)


@augmentation.register(severity=SHARE)
def drop_characters(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: Probability = 1.0
) -> Edits | None:
    """Leave out a character of a word.

    Settings:
        share: the share of the words of two characters or more in which that happens; one at least
        probability: the chance that the op fires for a text
    """

    def shortened(characters: Sequence[str], at: int) -> list[str]:
        return [*characters[:at], *characters[at + 1 :]]

    return _respelt(passage, rng, share, probability, _of_two_or_more, shortened)


@augmentation.register(severity=SHARE)
def insert_characters(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: Probability = 1.0
) -> Edits | None:
    """Put a character of the text, and so of its script, into a word.

    Settings:
        share: the share of the words that may change in which that happens; one at least
        probability: the chance that the op fires for a text
    """

    def lengthened(characters: Sequence[str], at: int) -> list[str]:
        new = pick(rng, characters_of(passage[pick(rng, passage.words)]))
        return [*characters[:at], new, *characters[at:]]

    return _respelt(passage, rng, share, probability, lambda word: range(len(characters_of(word)) + 1), lengthened)


@augmentation.register(severity=SHARE)
def repeat(
    passage: Passage,
    rng: np.random.Generator,
    *,
    share: Share = 0.1,
    times: Count = 1,
    probability: Probability = 1.0,
) -> Edits | None:
    """Write a character of a word more than once: sooo.

    Settings:
        share: the share of the words that may change in which that happens; one at least
        times: how often more, at the most; uniform from 1
        probability: the chance that the op fires for a text
    """

    def repeated(characters: Sequence[str], at: int) -> list[str]:
        return [*characters[:at], characters[at] * (1 + int(rng.random() * times)), *characters[at:]]

    return _respelt(passage, rng, share, probability, lambda word: range(len(characters_of(word))), repeated)


def _tells_case(settings: Mapping[str, Any], lexicon: Lexicon, texts: Iterable[str]) -> list[str]:
    """Raise ExperimentError where the tokenizer lower-cases all."""
    if lexicon.lower_cases:
        raise ExperimentError("augment.change_case does nothing: the backbone's tokenizer puts all in lower case")
    return []


@augmentation.register(severity=SHARE, ahead=_tells_case)
def change_case(
    passage: Passage,
    rng: np.random.Generator,
    *,
    share: Share = 0.1,
    to: Literal["any", "lower", "upper", "title"] = "any",
    probability: Probability = 1.0,
) -> Edits | None:
    """Write words in lower case, in upper case, or with a capital.

    Settings:
        share: the share of the words that can be written so, and are not yet, which is; one at least
        to: lower, upper or title (a capital first); any draws one that differs for each word
        probability: the chance that the op fires for a text
    """

    if not happens(rng, probability):
        return None
    able = [word for word in passage.free if _ways(passage[word], to)]
    return changes(passage, [Edit(*word, pick(rng, _ways(passage[word], to))) for word in chosen(rng, able, share)])


def _respelt(
    passage: Passage,
    rng: np.random.Generator,
    share: float,
    probability: float,
    places: Callable[[str], Sequence[Place]],
    spelling: Callable[[Sequence[str], Place], list[str]],
) -> Edits | None:
    """Another spelling, at one of the places in a word where it can be changed, for a share of the words with one."""
    if not happens(rng, probability):
        return None
    able = [word for word in passage.free if places(passage[word])]
    edits = []
    for word in chosen(rng, able, share):
        old = passage[word]
        edits.append(Edit(*word, "".join(spelling(characters_of(old), pick(rng, places(old))))))
    return changes(passage, edits)


@lru_cache(maxsize=1 << 14)
def _keys(word: str) -> tuple[int, ...]:
    """The characters of a word that are on a QWERTY keyboard; a letter with a mark is not."""
    return tuple(i for i, character in enumerate(characters_of(word)) if character.lower() in _neighbours())


@lru_cache(maxsize=1 << 14)
def _misreadable(word: str) -> tuple[tuple[int, int], ...]:
    """From and up to which character of a word a scanner may misread it."""
    characters = characters_of(word)
    spans = [(i, i + length) for length in (1, 2) for i in range(len(characters) + 1 - length)]
    return tuple((start, end) for start, end in spans if "".join(characters[start:end]) in _confused())


@lru_cache(maxsize=1 << 14)
def _unequal_pairs(word: str) -> tuple[int, ...]:
    """The characters of a word that are followed by another one."""
    return tuple(i for i, (one, other) in enumerate(pairwise(characters_of(word))) if one != other)


def _of_two_or_more(word: str) -> range:
    """The characters of a word, if there are two or more."""
    count = len(characters_of(word))
    return range(count if count > 1 else 0)


@lru_cache(maxsize=1 << 14)
def _ways(word: str, to: str) -> tuple[str, ...]:
    """How else a word may be written."""
    forms = {"lower": word.lower(), "upper": word.upper(), "title": word[:1].title() + word[1:].lower()}
    return tuple(sorted({forms[name] for name in (forms if to == "any" else (to,))} - {word}))


@cache
def _neighbours() -> dict[str, str]:
    """The keys beside each key."""
    places = {key: (start + x, y) for y, (row, start) in enumerate(ROWS) for x, key in enumerate(row)}
    return {
        key: "".join(k for k, (u, v) in places.items() if k != key and abs(u - x) <= 1 and abs(v - y) <= 1)
        for key, (x, y) in places.items()
    }


@cache
def _confused() -> dict[str, tuple[str, ...]]:
    """What each character, or pair of them, may be read as."""
    groups = [group.split(",") if "," in group else list(group) for group in CONFUSED.split()]
    found: dict[str, tuple[str, ...]] = {}
    for group in groups:
        for one in group:
            found[one] = (*found.get(one, ()), *(other for other in group if other != one))
    return found
