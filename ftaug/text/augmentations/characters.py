"""Character-level augmentations: typos and OCR errors. A character is a Unicode grapheme cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any, Literal, TypeVar

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.types import Count, Share
from ftaug.errors import ExperimentError
from ftaug.text import augmentation
from ftaug.text.augmentations.words import SHARE
from ftaug.text.edits import Edit, Edits, OpProbability, Passage, changes, chosen, pick
from ftaug.text.lexicon import Lexicon
from ftaug.text.segmentation import characters_of

Place = TypeVar("Place")

ROWS = (("1234567890", 0.0), ("qwertyuiop", 0.5), ("asdfghjkl", 0.75), ("zxcvbnm", 1.25))
"""Rows of a QWERTY keyboard, each with its horizontal offset in keys."""

CONFUSED = "0oO 1lI 5sS 8B 2zZ 6b 9gq rn,m cl,d vv,w ii,u ce hb uv ij ft"
"""Typical OCR confusions: the characters of a group, or the two strings around a comma."""


@augmentation.register(severity=SHARE)
def keyboard(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: OpProbability = 1.0
) -> Edits | None:
    """Insert keyboard typos: replace a character by an adjacent key.

    Settings:
        share: the share of the words with a character of a QWERTY keyboard that gets one typo; at least one word
    """

    def misprint(characters: Sequence[str], at: int) -> list[str]:
        hit = pick(rng, _adjacent_keys()[characters[at].lower()])
        return [*characters[:at], hit.upper() if characters[at].isupper() else hit, *characters[at + 1 :]]

    return _respell(passage, rng, share, probability, _keys, misprint)


@augmentation.register(severity=SHARE)
def ocr(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: OpProbability = 1.0
) -> Edits | None:
    """Simulate OCR errors: 0 for o, 1 for l, m for rn.

    Settings:
        share: the share of the words with a confusable character that gets one error; at least one word
    """

    def misreading(characters: Sequence[str], place: tuple[int, int]) -> list[str]:
        start, end = place
        return [*characters[:start], pick(rng, _confused()["".join(characters[start:end])]), *characters[end:]]

    return _respell(passage, rng, share, probability, _misreadable, misreading)


@augmentation.register(severity=SHARE)
def swap_characters(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: OpProbability = 1.0
) -> Edits | None:
    """Swap two adjacent characters of a word.

    Settings:
        share: the share of the words with two different characters to change; at least one word
    """

    def swapped(characters: Sequence[str], at: int) -> list[str]:
        return [*characters[:at], characters[at + 1], characters[at], *characters[at + 2 :]]

    return _respell(passage, rng, share, probability, _unequal_pairs, swapped)


@augmentation.register(severity=SHARE)
def drop_characters(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: OpProbability = 1.0
) -> Edits | None:
    """Delete a character of a word.

    Settings:
        share: the share of the words of two characters or more to change; at least one word
    """

    def shortened(characters: Sequence[str], at: int) -> list[str]:
        return [*characters[:at], *characters[at + 1 :]]

    return _respell(passage, rng, share, probability, _deletable, shortened)


@augmentation.register(severity=SHARE)
def insert_characters(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: OpProbability = 1.0
) -> Edits | None:
    """Insert a random character of the text, and so of its script, into a word.

    Settings:
        share: the share of the unprotected words to change; at least one word
    """

    def lengthened(characters: Sequence[str], at: int) -> list[str]:
        new = pick(rng, characters_of(passage[pick(rng, passage.words)]))
        return [*characters[:at], new, *characters[at:]]

    return _respell(passage, rng, share, probability, lambda word: range(len(characters_of(word)) + 1), lengthened)


@augmentation.register(severity=SHARE)
def repeat(
    passage: Passage,
    rng: np.random.Generator,
    *,
    share: Share = 0.1,
    times: Count = 1,
    probability: OpProbability = 1.0,
) -> Edits | None:
    """Repeat a character of a word: sooo.

    Settings:
        share: the share of the unprotected words to change; at least one word
        times: the maximum number of repetitions; drawn uniformly from 1 to this
    """

    def repeated(characters: Sequence[str], at: int) -> list[str]:
        return [*characters[:at], characters[at] * (1 + int(rng.random() * times)), *characters[at:]]

    return _respell(passage, rng, share, probability, lambda word: range(len(characters_of(word))), repeated)


def _needs_cased_tokenizer(settings: Mapping[str, Any], lexicon: Lexicon, texts: Iterable[str]) -> list[str]:
    """Raise ExperimentError if the tokenizer is uncased."""
    if lexicon.lower_cases:
        raise ExperimentError("augment.change_case does nothing: the backbone's tokenizer puts all in lower case")
    return []


@augmentation.register(severity=SHARE, ahead=_needs_cased_tokenizer)
def change_case(
    passage: Passage,
    rng: np.random.Generator,
    *,
    share: Share = 0.1,
    to: Literal["any", "lower", "upper", "title"] = "any",
    probability: OpProbability = 1.0,
) -> Edits | None:
    """Change the capitalization of words: lower, upper or title case.

    Settings:
        share: the share of the words not yet in that case to change; at least one word
        to: lower, upper or title (capital first); any draws a different case for each word
    """

    if not happens(rng, probability):
        return None
    candidates = [word for word in passage.free if _capitalizations(passage[word], to)]
    return changes(
        passage,
        [Edit(*word, pick(rng, _capitalizations(passage[word], to))) for word in chosen(rng, candidates, share)],
    )


def _respell(
    passage: Passage,
    rng: np.random.Generator,
    share: float,
    probability: float,
    places: Callable[[str], Sequence[Place]],
    spelling: Callable[[Sequence[str], Place], list[str]],
) -> Edits | None:
    """Respell a share of the words that have a suitable place, each at one random place.

    `places` lists the suitable places of a word; `spelling` respells its characters at one of them.
    """
    if not happens(rng, probability):
        return None
    candidates = [word for word in passage.free if places(passage[word])]
    edits = []
    for word in chosen(rng, candidates, share):
        old = passage[word]
        edits.append(Edit(*word, "".join(spelling(characters_of(old), pick(rng, places(old))))))
    return changes(passage, edits)


@lru_cache(maxsize=1 << 14)
def _keys(word: str) -> tuple[int, ...]:
    """Return indices of the characters on a QWERTY keyboard; letters with diacritics are not."""
    return tuple(i for i, character in enumerate(characters_of(word)) if character.lower() in _adjacent_keys())


@lru_cache(maxsize=1 << 14)
def _misreadable(word: str) -> tuple[tuple[int, int], ...]:
    """Return ranges (start, end) of characters that OCR may misread."""
    characters = characters_of(word)
    spans = [(i, i + length) for length in (1, 2) for i in range(len(characters) + 1 - length)]
    return tuple((start, end) for start, end in spans if "".join(characters[start:end]) in _confused())


@lru_cache(maxsize=1 << 14)
def _unequal_pairs(word: str) -> tuple[int, ...]:
    """Return indices of characters followed by a different character."""
    return tuple(i for i, (first, second) in enumerate(pairwise(characters_of(word))) if first != second)


def _deletable(word: str) -> range:
    """Return the character indices of a word of at least two characters; else none."""
    count = len(characters_of(word))
    return range(count if count > 1 else 0)


@lru_cache(maxsize=1 << 14)
def _capitalizations(word: str, to: str) -> tuple[str, ...]:
    """Return other capitalizations of a word."""
    forms = {"lower": word.lower(), "upper": word.upper(), "title": word[:1].title() + word[1:].lower()}
    return tuple(sorted({forms[name] for name in (forms if to == "any" else (to,))} - {word}))


@cache
def _adjacent_keys() -> dict[str, str]:
    """Map each key to its adjacent keys."""
    places = {key: (start + x, y) for y, (row, start) in enumerate(ROWS) for x, key in enumerate(row)}
    return {
        key: "".join(k for k, (u, v) in places.items() if k != key and abs(u - x) <= 1 and abs(v - y) <= 1)
        for key, (x, y) in places.items()
    }


@cache
def _confused() -> dict[str, tuple[str, ...]]:
    """Map each character, or pair of characters, to its OCR confusions."""
    groups = [group.split(",") if "," in group else list(group) for group in CONFUSED.split()]
    confusions: dict[str, tuple[str, ...]] = {}
    for group in groups:
        for character in group:
            confusions[character] = (*confusions.get(character, ()), *(other for other in group if other != character))
    return confusions
