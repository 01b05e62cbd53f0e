"""Cutoff augmentations: hide word spans or tokens from the model."""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.types import Probability, Share
from ftaug.text import augmentation
from ftaug.text.augmentations.masks import needs_mask
from ftaug.text.augmentations.words import SHARE, By, hidden
from ftaug.text.edits import Edits, Passage, Span, drawn_first, merged, pick, rounded
from ftaug.text.segmentation import pattern


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
        share: how long the run is, as a share of the text's words; one word at least. Runs in which all is protected
            are not drawn
        by: mask puts the model's mask token in the place of each word; delete takes the words out, but never all
        probability: the chance that the op fires for a text

    Cutoff, Shen et al. 2020. With `objective: cutoff` the hidden and the whole text are to get the same answer.
    """
    words = passage.words
    if not happens(rng, probability) or not words or share <= 0:
        return None
    length = min(max(1, rounded(rng, share * len(words))), len(words) - (by == "delete"))
    may_change = [passage.may_change(word) for word in words]
    before = [0, *accumulate(may_change)]
    starts = [first for first in range(len(words) - length + 1) if before[first + length] > before[first]]
    if not starts:
        return None
    first = pick(rng, starts)
    return hidden(passage, [words[i] for i in range(first, first + length) if may_change[i]], by)


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
        share: the share of the tokens of the words that may change which is hidden, of those with a letter or a digit;
            one at least. Tokens that are parts of one character, such as a letter and its vowel sign, count as one
        by: mask puts the model's mask token in the place of each; delete takes them out, but never all of the text
        probability: the chance that the op fires for a text

    Cutoff, Shen et al. 2020. The text that is left is split into tokens anew, so that the rest of a word may be split
    in another way.
    """
    if not happens(rng, probability):
        return None
    tokens = _tokens(passage)
    order = drawn_first(rng, len(tokens), share)
    if by == "delete" and len(order) == len(tokens) and len(passage.free) == len(passage.words):
        order = order[:-1]
    return hidden(passage, [tokens[i] for i in sorted(order)], by)


def _tokens(passage: Passage) -> list[Span]:
    """Return the tokens with a letter or a digit inside changeable words; without a tokenizer, the words.

    Adjacent words, as in Chinese, may share a token, so tokens are matched against merged runs of words.
    """
    if passage.lexicon is None:
        return list(passage.free)
    is_lettered = pattern(r"[\p{L}\p{N}]").search
    inside: list[Span] = []
    runs = iter(merged(passage.free))
    run = next(runs, None)
    for token in passage.lexicon.tokens(passage.text):
        while run is not None and run.end <= token.start:
            run = next(runs, None)
        if run is not None and run.start <= token.start and token.end <= run.end and is_lettered(passage[token]):
            inside.append(token)
    return inside
