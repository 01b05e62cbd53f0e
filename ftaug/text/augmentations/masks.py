"""The token with which a model hides words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ftaug.errors import ExperimentError
from ftaug.text.edits import Passage
from ftaug.text.lexicon import Lexicon

Ahead = Callable[[Mapping[str, Any], Lexicon, Iterable[str]], list[str]]
"""A look at an op's settings, what the model knows of words, and the texts: raises, or says what to know."""


def mask_of(passage: Passage) -> str:
    """The model's mask token."""
    return passage.lexicon.mask if passage.lexicon is not None else "[MASK]"


def needs_mask(name: str) -> Ahead:
    """A look ahead that raises ExperimentError for a model whose tokenizer has no such token."""

    def ahead(settings: Mapping[str, Any], lexicon: Lexicon, texts: Iterable[str]) -> list[str]:
        if settings.get("by", "mask") == "mask" and not lexicon.mask:
            instead = "; set by: delete" if "by" in settings else "; use delete"
            raise ExperimentError(f"augment.{name}: the backbone's tokenizer has no mask token{instead}")
        return []

    return ahead
