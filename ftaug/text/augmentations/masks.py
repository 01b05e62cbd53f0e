"""The mask token of the model's tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ftaug.errors import ExperimentError
from ftaug.text.edits import Passage
from ftaug.text.lexicon import Lexicon

Ahead = Callable[[Mapping[str, Any], Lexicon, Iterable[str]], list[str]]
"""Check of an op before training, given its settings, the lexicon and the texts: raise, or return notes."""


def mask_of(passage: Passage) -> str:
    """Return the model's mask token."""
    return passage.lexicon.mask if passage.lexicon is not None else "[MASK]"


def needs_mask(name: str) -> Ahead:
    """Return a check that raises ExperimentError if the tokenizer has no mask token."""

    def ahead(settings: Mapping[str, Any], lexicon: Lexicon, texts: Iterable[str]) -> list[str]:
        if settings.get("by", "mask") == "mask" and not lexicon.mask:
            instead = "; set by: delete" if "by" in settings else "; use delete"
            raise ExperimentError(f"augment.{name}: the backbone's tokenizer has no mask token{instead}")
        return []

    return ahead
