"""Sources of replacement words: a table, WordNet, or the model's embeddings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from ftaug.config.types import FilePath
from ftaug.data.tables import delimited
from ftaug.errors import MissingInput, missing_extra
from ftaug.text.augmentations.stop_words import STOP_WORDS
from ftaug.text.augmentations.tables import normal, table
from ftaug.text.edits import Passage, Span
from ftaug.text.lexicon import Lexicon

Synonyms = Literal["wordnet"] | FilePath


def _american(value: Any) -> Any:
    return "neighbors" if value == "neighbours" else value


Words = Annotated[Literal["own", "neighbors", "wordnet"], BeforeValidator(_american)] | FilePath
Source = Callable[[str], Sequence[str]]

KEY, VALUES = "word", "synonyms"
NEAREST = 8


def source(name_or_path: str | Path, passage: Passage) -> Source:
    """Return a function from a word or phrase to its replacements; empty if unknown."""
    if isinstance(name_or_path, Path):
        known = table(name_or_path, KEY, VALUES)
        return lambda words: known.get(normal(words), ())
    if name_or_path == "wordnet":
        return in_wordnet
    lexicon = passage.lexicon
    return (lambda word: lexicon.neighbors(word)[:NEAREST]) if lexicon is not None else lambda word: ()


def known_words(name_or_path: str | Path, passage: Passage, lookup: Source) -> list[Span]:
    """Return changeable words that have replacements; for a table also multi-word phrases, longest match first."""
    longest = longest_key(name_or_path) if isinstance(name_or_path, Path) else 1
    if longest == 1:
        return [word for word in passage.free if lookup(passage[word])]
    spans: list[Span] = []
    for i, word in enumerate(passage.free):
        if spans and word.start < spans[-1].end:
            continue
        together = (Span(word.start, last.end) for last in reversed(passage.free[i : i + longest]))
        longest_match = next((span for span in together if lookup(passage[span]) and passage.may_change(span)), None)
        spans += [longest_match] if longest_match is not None else []
    return spans


@lru_cache(maxsize=8)
def longest_key(path: Path) -> int:
    """Return the maximum number of words of a key in a synonym table."""
    return max(len(key.split(" ")) for key in table(path, KEY, VALUES))


@lru_cache(maxsize=1 << 16)
def in_wordnet(word: str) -> tuple[str, ...]:
    """Return WordNet synonyms of a word for its most frequent part of speech, common senses first.

    Empty for inflected forms and stop words: the synonyms of `in` are `inch` and `indium`.
    """
    name = word.lower()
    senses = [] if name in STOP_WORDS else [s for s in wordnet().synsets(name) if name in s.lemma_names()]
    uses: Counter[str] = Counter()
    for sense in senses:
        uses[_part_of_speech(sense)] += sum(lemma.count() for lemma in sense.lemmas() if lemma.name() == name)
    usual = max(uses, key=lambda part: uses[part], default=None)
    names = [other for sense in senses if _part_of_speech(sense) == usual for other in sense.lemma_names()]
    return tuple(dict.fromkeys(other.replace("_", " ") for other in names if other.lower() != name))


def _part_of_speech(sense: Any) -> str:
    """Return WordNet's part-of-speech tag, with satellite adjectives (s) as adjectives (a)."""
    return "a" if sense.pos() == "s" else str(sense.pos())


@lru_cache(maxsize=1)
def wordnet() -> Any:
    """Load WordNet by nltk; raises Unavailable, MissingInput."""
    try:
        from nltk.corpus import wordnet as corpus
    except ImportError:
        raise missing_extra("the source 'wordnet'", "nltk", "wordnet") from None
    try:
        corpus.ensure_loaded()
    except LookupError:
        raise MissingInput(
            "the WordNet data are missing: python -m nltk.downloader wordnet, or set NLTK_DATA to their folder"
        ) from None
    return corpus


def open_source(settings: Mapping[str, Any], lexicon: Lexicon, texts: Iterable[str]) -> list[str]:
    """Load the source before training, so that errors come early and workers share the data."""
    name_or_path = settings.get("from", "neighbors")
    if isinstance(name_or_path, Path):
        table(name_or_path, KEY, VALUES)
        return list(delimited.note(name_or_path))
    if name_or_path == "wordnet":
        wordnet()
    elif name_or_path == "neighbors":
        lexicon.open()
    return []
