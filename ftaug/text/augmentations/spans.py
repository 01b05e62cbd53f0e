"""Augmentations that hide parts of a text from the model."""

from __future__ import annotations

import numpy as np

from ftaug.config.draws import happens
from ftaug.config.types import Probability, Share
from ftaug.text import augmentation
from ftaug.text.augmentations.masks import needs_mask
from ftaug.text.augmentations.words import SHARE, By, hidden
from ftaug.text.passage import Edits, Passage, Span, chosen


@augmentation.register(severity=SHARE, ahead=needs_mask("span_cutoff"))
def span_cutoff(
    passage: Passage,
    rng: np.random.Generator,
    *,
    share: Share = 0.1,
    by: By = "mask",
    probability: Probability = 1.0,
) -> Edits | None:
    """Hide a run of words; protected ones within it stay.

    Settings:
        share: how long the run is, as a share of the text's words; one word at least
        by: mask puts the model's mask token in the place of each word; delete takes the words out, but never all
        probability: the chance that the op fires for a text

    Cutoff, Shen et al. 2020. With `objective: cutoff` the hidden and the whole text are to get the same answer.
    """
    words = passage.words
    if not happens(rng, probability) or not words or share <= 0:
        return None
    length = min(max(1, round(share * len(words))), len(words) - (by == "delete"))
    first = int(rng.random() * (len(words) - length + 1))
    return hidden(passage, [word for word in words[first : first + length] if passage.may_change(word)], by)


@augmentation.register(severity=SHARE, ahead=needs_mask("token_cutoff"))
def token_cutoff(
    passage: Passage,
    rng: np.random.Generator,
    *,
    share: Share = 0.1,
    by: By = "mask",
    probability: Probability = 1.0,
) -> Edits | None:
    """Hide some of the model's tokens, which may be parts of words.

    Settings:
        share: the share of the tokens of the words that may change which is hidden; one at least
        by: mask puts the model's mask token in the place of each; delete takes them out, but never all
        probability: the chance that the op fires for a text

    Cutoff, Shen et al. 2020. The text that is left is split into tokens anew, so that the rest of a word may be split
    in another way.
    """
    if not happens(rng, probability):
        return None
    tokens = _tokens(passage)
    picked = chosen(rng, tokens, share)
    if by == "delete" and len(picked) == len(passage.words):
        picked = picked[:-1]
    return hidden(passage, picked, by)


def _tokens(passage: Passage) -> list[Span]:
    """The tokens inside the words that may change; the words themselves where no tokenizer is known."""
    if passage.lexicon is None:
        return list(passage.free)
    found: list[Span] = []
    words = iter(passage.free)
    word = next(words, None)
    for token in passage.lexicon.tokens(passage.text):
        while word is not None and word.end <= token.start:
            word = next(words, None)
        if word is not None and word.start <= token.start and token.end <= word.end:
            found.append(token)
    return found
