"""Augmentations of the characters in words: misprints and misreadings. A character is what a person counts as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Literal

import numpy as np

from ftaug.config.draws import happens
from ftaug.config.types import Count, Probability, Share
from ftaug.errors import ExperimentError
from ftaug.text import augmentation
from ftaug.text.augmentations.words import SHARE
from ftaug.text.lexicon import Lexicon
from ftaug.text.passage import Edit, Edits, Passage, changes, chosen, pick
from ftaug.text.segments import characters_of

Spelling = Callable[[Sequence[str]], str | None]
"""From the characters of a word to another spelling, or to None where there is none."""

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
        share: the share of the words with a letter or digit of a QWERTY keyboard that gets one such misprint
        probability: the chance that the op fires for a text
    """
    beside = _neighbours()

    def misprint(characters: Sequence[str]) -> str | None:
        places = [i for i, c in enumerate(characters) if c.lower() in beside]
        if not places:
            return None
        at = pick(rng, places)
        hit = pick(rng, beside[characters[at].lower()])
        return "".join([*characters[:at], hit.upper() if characters[at].isupper() else hit, *characters[at + 1 :]])

    keys = frozenset(beside)
    return _respelt(passage, rng, share, probability, lambda word: not keys.isdisjoint(word.lower()), misprint)


@augmentation.register(severity=SHARE)
def ocr(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: Probability = 1.0
) -> Edits | None:
    """Misread characters as a scanner does: 0 for o, 1 for l, m for rn.

    Settings:
        share: the share of the words with such a character that is misread in one place
        probability: the chance that the op fires for a text
    """
    confused = _confused()

    def misreading(characters: Sequence[str]) -> str | None:
        places = [(i, n) for n in (1, 2) for i in range(len(characters)) if "".join(characters[i : i + n]) in confused]
        places = [(i, n) for i, n in places if i + n <= len(characters)]
        if not places:
            return None
        at, length = pick(rng, places)
        read = pick(rng, confused["".join(characters[at : at + length])])
        return "".join([*characters[:at], read, *characters[at + length :]])

    first = frozenset(key[0] for key in confused)
    return _respelt(passage, rng, share, probability, lambda word: not first.isdisjoint(word), misreading)


@augmentation.register(severity=SHARE)
def swap_characters(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: Probability = 1.0
) -> Edits | None:
    """Let two neighbouring characters of a word change places.

    Settings:
        share: the share of the words of two characters or more in which that happens
        probability: the chance that the op fires for a text
    """

    def swapped(characters: Sequence[str]) -> str | None:
        places = [i for i in range(len(characters) - 1) if characters[i] != characters[i + 1]]
        if not places:
            return None
        at = pick(rng, places)
        return "".join([*characters[:at], characters[at + 1], characters[at], *characters[at + 2 :]])

    return _respelt(passage, rng, share, probability, _has_two, swapped)


@augmentation.register(severity=SHARE)
def drop_characters(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: Probability = 1.0
) -> Edits | None:
    """Leave out a character of a word.

    Settings:
        share: the share of the words of two characters or more in which that happens
        probability: the chance that the op fires for a text
    """

    def shortened(characters: Sequence[str]) -> str | None:
        at = int(rng.random() * len(characters))
        return "".join([*characters[:at], *characters[at + 1 :]]) if len(characters) > 1 else None

    return _respelt(passage, rng, share, probability, _has_two, shortened)


@augmentation.register(severity=SHARE)
def insert_characters(
    passage: Passage, rng: np.random.Generator, *, share: Share = 0.1, probability: Probability = 1.0
) -> Edits | None:
    """Put a character of the text, and so of its script, into a word.

    Settings:
        share: the share of the words that may change in which that happens
        probability: the chance that the op fires for a text
    """

    def lengthened(characters: Sequence[str]) -> str:
        at = int(rng.random() * (len(characters) + 1))
        new = pick(rng, characters_of(passage[pick(rng, passage.words)]))
        return "".join([*characters[:at], new, *characters[at:]])

    return _respelt(passage, rng, share, probability, None, lengthened)


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
        share: the share of the words that may change in which that happens
        times: how often more, at the most; uniform from 1
        probability: the chance that the op fires for a text
    """

    def repeated(characters: Sequence[str]) -> str:
        at = int(rng.random() * len(characters))
        more = 1 + int(rng.random() * times)
        return "".join([*characters[:at], characters[at] * more, *characters[at:]])

    return _respelt(passage, rng, share, probability, None, repeated)


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
        share: the share of the words that can be written so, and are not yet, which is
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
    may: Callable[[str], bool] | None,
    spelling: Spelling,
) -> Edits | None:
    """Another spelling for a share of the words for which there may be one."""
    if not happens(rng, probability):
        return None
    able = [word for word in passage.free if may is None or may(passage[word])]
    respelt = [(word, spelling(characters_of(passage[word]))) for word in chosen(rng, able, share)]
    return changes(passage, [Edit(*word, new) for word, new in respelt if new is not None])


@lru_cache(maxsize=1 << 14)
def _ways(word: str, to: str) -> tuple[str, ...]:
    """How else a word may be written."""
    forms = {"lower": word.lower(), "upper": word.upper(), "title": word[:1].title() + word[1:].lower()}
    return tuple(sorted({forms[name] for name in (forms if to == "any" else (to,))} - {word}))


def _has_two(word: str) -> bool:
    return len(word) > 1


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
