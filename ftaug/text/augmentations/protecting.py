"""What of a text stays as it is: negations, unless the experiment protects something else."""

from __future__ import annotations

import re

from ftaug.text.passage import Span, merged

NEGATIONS = re.compile(
    r"\b(?:no|not|nor|never|none|nobody|nothing|nowhere|neither|without|cannot|hardly|scarcely|barely|n[o']t)\b"
    r"|\b\w+n['’]t\b",
    re.IGNORECASE,
)


def negations_in(text: str) -> tuple[Span, ...]:
    """The English words that turn a sentence into its opposite."""
    return merged(Span(*match.span()) for match in NEGATIONS.finditer(text))
