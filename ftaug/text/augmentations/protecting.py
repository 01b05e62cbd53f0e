"""Protect parts of a text from augmentation: negations by default, or words, patterns and entities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator

from ftaug.config.problems import fail, predicate
from ftaug.config.types import Text, Wording
from ftaug.config.wording import shown
from ftaug.text import augmentation
from ftaug.text.edits import Passage, Protection, merged
from ftaug.text.segmentation import Span, pattern, words_of

NEGATIONS = frozenset(
    """
    no not nor never none nobody nothing nowhere neither without cannot hardly scarcely barely dont doesnt didnt isnt
    arent wasnt werent cant couldnt wouldnt shouldnt wont aint hasnt havent hadnt
    """.split()  # noqa: SIM905 - to be read
)

ENTITIES = {
    "numbers": r"(?<![\p{L}\p{N}_])[+\-−]?\p{Nd}+(?:[.,:/\-]\p{Nd}+)*(?:\s?[%‰°€$£¥])?(?![\p{L}\p{N}_])",
    "urls": r"\b(?:https?://|www\.)[^\s<>\"]+",
    "emails": r"[\p{L}\p{N}._%+\-]+@[\p{L}\p{N}\-]+(?:\.[\p{L}\p{N}\-]+)+",
    "mentions": r"(?<![\p{L}\p{N}_@])@[\p{L}\p{N}_]+",
    "tags": r"(?<![\p{L}\p{N}_#])#[\p{L}\p{N}_]+",
    "names": r"(?<![\p{L}\p{N}_])\p{Lu}[\p{L}\p{M}\p{N}'’\-]*(?:\s+\p{Lu}[\p{L}\p{M}\p{N}'’\-]*)*",
}
"""Simple patterns of entities; `names` are runs of capitalized words."""


def _compiles(expression: str) -> str:
    import re

    try:
        pattern(expression)
    except Exception as error:
        if type(error).__name__ != "error" and not isinstance(error, re.error | ValueError):
            raise
        raise fail(((), predicate(f"must be a regular expression; got {shown(expression)}: {error}"))) from None
    return expression


Expression = Annotated[str, AfterValidator(_compiles), Wording("a regular expression")]
Entity = Literal["numbers", "urls", "emails", "mentions", "tags", "names"]


@augmentation.register(varies=False)
def protect(
    passage: Passage,
    rng: np.random.Generator,
    *,
    negations: bool = True,
    labels: bool = False,
    words: tuple[Text, ...] = (),
    patterns: tuple[Expression, ...] = (),
    entities: tuple[Entity, ...] = (),
) -> Protection:
    """Protect parts of the text from every op after it; it replaces the default, which protects negations.

    Settings:
        negations: English words that reverse the meaning of a sentence: not, never, isn't, without …
        labels: the names of the text's own classes, where they occur in it
        words: words, or several together, in upper or lower case
        patterns: regular expressions (those of the library regex)
        entities: simple patterns of numbers, urls, emails, mentions (@name), tags (#tag) and names (runs of
            capitalized words, the first of a sentence too)

    No op changes the characters of a protected part; it moves with the text before it.
    """
    spans: list[Span] = list(negations_in(passage.text)) if negations else []
    phrases = [*words, *(_spellings(passage.labels) if labels else ())]
    if phrases:
        spans += _matches(_any_of(phrases), passage.text, ignore_case=True)
    for expression in (*patterns, *(ENTITIES[name] for name in entities)):
        spans += _matches(expression, passage.text)
    return Protection(merged(spans))


def negations_in(text: str) -> tuple[Span, ...]:
    """Return spans of English negations."""
    return tuple(span for span in words_of(text) if _negates(text[span.start : span.end].lower()))


def _negates(word: str) -> bool:
    return word in NEGATIONS or word.endswith(("n't", "n’t"))


def _spellings(labels: Iterable[str]) -> Iterator[str]:
    """Yield spellings of class names as they may occur in a text: `world_news` and `world news`."""
    for name in labels:
        yield name
        yield name.replace("_", " ").replace("-", " ")


def _any_of(phrases: Iterable[str]) -> str:
    """Return a regular expression that matches any of the words, longest first."""
    import re

    ordered = sorted({word for word in phrases if word.strip()}, key=lambda word: (-len(word), word))
    return (
        rf"(?<![\p{{L}}\p{{N}}_])(?:{'|'.join(map(re.escape, ordered))})(?![\p{{L}}\p{{N}}_])" if ordered else r"(?!)"
    )


def _matches(expression: str, text: str, *, ignore_case: bool = False) -> list[Span]:
    compiled: Any = pattern(f"(?i){expression}" if ignore_case else expression)
    return [Span(*match.span()) for match in compiled.finditer(text)]
