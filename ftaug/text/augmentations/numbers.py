"""Replace numbers in a text by random ones of the same format."""

from __future__ import annotations

import unicodedata

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.types import Share
from ftaug.text import augmentation
from ftaug.text.augmentations.words import SHARE
from ftaug.text.edits import Edit, Edits, OpProbability, Passage, changes, chosen
from ftaug.text.segmentation import pattern

NUMBER = r"\p{Nd}+(?:[.,]\p{Nd}+)*"


@augmentation.register(severity=SHARE)
def numbers(
    passage: Passage, rng: np.random.Generator, *, share: Share = 1.0, probability: OpProbability = 1.0
) -> Edits | None:
    """Replace numbers by random ones of the same number of digits and format: 1,250.00, 3,871.42.

    Settings:
        share: the share of the numbers to replace; at least one

    For texts whose class does not depend on numbers. Words with digits (B2B, 2nd) and leading zeros are unchanged.
    """
    if not happens(rng, probability):
        return None
    is_number = pattern(NUMBER).fullmatch
    candidates = [word for word in passage.free if is_number(passage[word])]
    return changes(
        passage, [Edit(*word, _random_number(passage[word], rng)) for word in chosen(rng, candidates, share)]
    )


def _random_number(number: str, rng: np.random.Generator) -> str:
    """Draw a number of the same format; the first nonzero digit changes, leading zeros stay."""
    digits = [i for i, character in enumerate(number) if character.isdecimal()]
    first = next((i for i in digits if unicodedata.decimal(number[i]) > 0), digits[-1])
    characters = list(number)
    for i in digits:
        old = unicodedata.decimal(number[i])
        if i < first:
            continue
        new = int(rng.random() * 10) if i > first else (old + int(rng.random() * (8 if old else 9))) % 9 + 1
        characters[i] = chr(ord(number[i]) - old + new)
    return "".join(characters)
