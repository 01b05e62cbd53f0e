"""Cutoff augmentations: hide word spans or tokens from the model."""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.types import Share
from ftaug.text import augmentation
from ftaug.text.augmentations.masks import needs_mask
from ftaug.text.augmentations.words import SHARE, By, hidden
from ftaug.text.edits import Edits, OpProbability, Passage, Span, drawn_first, merged, pick, rounded
from ftaug.text.segmentation import pattern


@augmentation.register(severity=SHARE, ahead=needs_mask("span_cutoff"))
def span_cutoff(
    passage: Passage,
    rng: np.random.Generator,
    *,
    share: Share = 0.1,
    by: By = "mask",
    probability: OpProbability = 1.0,
) -> Edits | None:
    """Mask or delete a span of consecutive words, except protected ones.

    Settings:
        share: the length of the span, as a share of the text's words; at least one word. Spans of only protected words
            are not drawn
        by: mask replaces each word by the model's mask token; delete deletes the words, but never all

    Cutoff, Shen et al. 2020. With `objective: cutoff` the predictions for the augmented and the original text are
    trained to agree.
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
    probability: OpProbability = 1.0,
) -> Edits | None:
    """Mask or delete random tokens, which may be parts of words.

    Settings:
        share: the share of the tokens with a letter or a digit in unprotected words to mask or delete; at least one.
            Tokens that are parts of one character, such as a letter and its vowel sign, count as one
        by: mask replaces each by the model's mask token; delete deletes them, but never the whole text

    Cutoff, Shen et al. 2020. The remaining text is tokenized again, so that the rest of a word may be split
    differently.
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
