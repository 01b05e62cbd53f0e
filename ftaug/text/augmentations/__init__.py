"""Augmentations for texts; importing this registers them."""

from ftaug.text.augmentations import (
    characters,
    contractions,
    mixing,
    numbers,
    paraphrases,
    protecting,
    replacements,
    sentences,
    spans,
    words,
)

__all__ = [
    "characters",
    "contractions",
    "mixing",
    "numbers",
    "paraphrases",
    "protecting",
    "replacements",
    "sentences",
    "spans",
    "words",
]
