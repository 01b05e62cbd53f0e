"""Word replacement and insertion: synonyms, embedding neighbors, masked language model predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.types import Count, Share
from ftaug.text import augmentation, masked_lm
from ftaug.text.augmentations.sources import Source, Synonyms, Words, known_words, open_source, source
from ftaug.text.augmentations.words import SHARE
from ftaug.text.edits import Edit, Edits, OpProbability, Passage, Span, changes, chosen, drawn_first, pick
from ftaug.text.lexicon import Lexicon


@augmentation.register(severity=SHARE, ahead=open_source)
def synonyms(
    passage: Passage,
    rng: np.random.Generator,
    *,
    from_: Synonyms,
    share: Share = 0.1,
    probability: OpProbability = 1.0,
) -> Edits | None:
    """Replace words by synonyms, with the same capitalization.

    Settings:
        from: a table of your own, or wordnet. A table is CSV or TSV whose first row names the columns, word first and
            its synonyms in those behind it, or JSON Lines or Parquet with word and synonyms; several words together
            may be a word
        share: the share of the words with synonyms to replace; at least one word

    One of the four operations of EDA, Wei and Zou 2019. WordNet is English and needs nltk and its data. As in EDA it is
    not asked for stop words; beyond EDA only for base forms, so that no plural becomes a singular, and for the part of
    speech that a word is most often. It knows nothing of which meaning is meant. EDA replaces a word wherever it
    stands, ftaug each occurrence by itself.
    """
    if not happens(rng, probability):
        return None
    lookup = _with_capitals(source(from_, passage))
    return _replace_words(passage, rng, known_words(from_, passage, lookup), lookup, share)


@augmentation.register(severity=SHARE, ahead=open_source)
def neighbors(
    passage: Passage,
    rng: np.random.Generator,
    *,
    share: Share = 0.1,
    nearest: Count = 8,
    probability: OpProbability = 1.0,
) -> Edits | None:
    """Replace words by their nearest neighbors in the model's own embeddings.

    Settings:
        share: the share to replace of the words that are a single token; at least one word
        nearest: the number of nearest neighbors to draw from

    Neighbors are related words, not synonyms: those of `good` include `bad`. Nothing is downloaded.
    `neighbours` is the same.
    """
    lexicon = passage.lexicon
    if not happens(rng, probability) or lexicon is None:
        return None
    known = [word for word in passage.free if lexicon.knows(passage[word])]
    return _replace_words(passage, rng, known, _with_capitals(lambda word: lexicon.neighbors(word, nearest)), share)


def _open_model(settings: Mapping[str, Any], lexicon: Lexicon, texts: Iterable[str]) -> list[str]:
    masked_lm.model(lexicon.path)
    return []


@augmentation.register(severity=SHARE, ahead=_open_model)
def masked_fill(
    passage: Passage,
    rng: np.random.Generator,
    *,
    share: Share = 0.1,
    candidates: Count = 10,
    probability: OpProbability = 1.0,
) -> Edits | None:
    """Replace words by predictions of the pretrained masked language model.

    Settings:
        share: the share to replace of the unprotected words that the model sees; at least one word
        candidates: the number of most likely words to sample from, by their probabilities

    The model at the backbone's path, with the head that it was pretrained with, runs on the CPU in each worker: some
    ten milliseconds a text for a small model, much more for a large one. It never draws the original word.
    """
    if not happens(rng, probability) or passage.lexicon is None:
        return None
    words = chosen(rng, masked_lm.words_seen(passage), share)
    uniform = rng.random(len(words)).tolist()
    if not words:
        return None
    replacements = masked_lm.fill(passage, words, uniform, candidates)
    return changes(passage, [Edit(*word, like(passage[word], new)) for word, new in replacements.items()])


@augmentation.register(severity=SHARE, ahead=open_source)
def insert(
    passage: Passage,
    rng: np.random.Generator,
    *,
    from_: Words = "own",
    share: Share = 0.1,
    probability: OpProbability = 1.0,
) -> Edits | None:
    """Insert words at random places.

    Settings:
        from: own for words of the text itself; or for words like one of the text's: neighbors (in the model's
            embeddings), wordnet, or a table of synonyms
        share: the number of words to insert, as a share of the possible places; at least one

    One of the four operations of EDA, Wei and Zou 2019, which takes synonyms from WordNet and never of stop words; so
    does ftaug with `from: wordnet`. The words of the text itself need no data.
    """
    if not happens(rng, probability):
        return None
    words = passage.words
    places = [word for word in words if passage.may_change(Span(word.start, word.start))]
    order = drawn_first(rng, len(places), share)
    lookup = (lambda word: (word,)) if from_ == "own" else source(from_, passage)
    words_with_candidates = words if from_ == "own" else [word for word in words if lookup(passage[word])]
    if not words_with_candidates:
        return None
    return changes(
        passage,
        [_insert_before(passage, places[i], pick(rng, words_with_candidates), lookup, rng) for i in sorted(order)],
    )


def like(word: str, other: str) -> str:
    """Transfer capitalization from `word` to `other`: Cat, dog → Dog; CAT, dog → DOG."""
    if word.isupper() and len(word) > 1:
        return other.upper()
    return other[:1].title() + other[1:] if word[:1].isupper() else other


def _replace_words(
    passage: Passage, rng: np.random.Generator, words: Sequence[Span], lookup: Source, share: float
) -> Edits | None:
    """Replace a share of the words, each by a random candidate of `others`."""
    replacements = [(word, lookup(passage[word])) for word in chosen(rng, words, share)]
    return changes(passage, [Edit(*word, pick(rng, some)) for word, some in replacements if some])


def _with_capitals(lookup: Source) -> Source:
    """Wrap a source: transfer the word's capitalization and drop candidates equal to it."""
    return lambda word: [new for other in lookup(word) if (new := like(word, other)) != word]


def _insert_before(passage: Passage, place: Span, word: Span, lookup: Source, rng: np.random.Generator) -> Edit:
    """Insert a word before another, followed by a space unless words are adjacent, as in Chinese."""
    new = pick(rng, lookup(passage[word]))
    touches = place.start > 0 and passage.text[place.start - 1].isalnum()
    return Edit(place.start, place.start, new if touches else f"{new} ")
