"""Expand or contract English contractions: it's, it is."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.types import Share
from ftaug.text import augmentation
from ftaug.text.augmentations.replacements import like
from ftaug.text.augmentations.words import SHARE
from ftaug.text.edits import Edit, Edits, OpProbability, Passage, Span, changes, chosen
from ftaug.text.segmentation import pattern

SUBJECTS = {
    "m am": "i",
    "re are": "you we they",
    "ve have": "i you we they",
    "ll will": "i you he she it we they that there",
    "s is": "he she it that there what where who here",
}
NEGATED = (
    "isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't wouldn't couldn't shouldn't mustn't needn't"
)
IRREGULAR = {"can't": "cannot", "won't": "will not", "let's": "let us"}
UNCLEAR = r"\s+(?:\p{L}+ly\s+)?(?:been|had|got|gone|done|seen|made|come|become|\p{L}{2,}ed|\p{L}{2,}en)\b"
"""Pattern of a participle, after which `it's` may mean `it has`."""


@augmentation.register(severity=SHARE)
def contractions(
    passage: Passage,
    rng: np.random.Generator,
    *,
    share: Share = 0.5,
    direction: Literal["both", "expand", "contract"] = "both",
    probability: OpProbability = 1.0,
) -> Edits | None:
    """Expand or contract English contractions: it's, it is; they will, they'll.

    Settings:
        share: the share of the possible places to change; at least one
        direction: expand (it's → it is), contract (it is → it's) or both

    Negated ones (isn't, is not) are protected unless `protect: {negations: false}` comes before. Ambiguous ones
    (`he'd`, and `it's` before a participle) are unchanged.
    """
    if not happens(rng, probability):
        return None
    candidates = [
        edit for edit in _possible_edits(passage, direction) if passage.may_change(Span(edit.start, edit.end))
    ]
    return changes(passage, chosen(rng, candidates, share))


def _possible_edits(passage: Passage, direction: str) -> list[Edit]:
    """Return all possible expansions and contractions, in order."""
    long, mark = _expanded(), "’" if "’" in passage.text else "'"
    edits: list[Edit] = []
    for match in pattern(_alternatives()).finditer(passage.text):
        original = match[0]
        plain = " ".join(original.lower().replace("’", "'").split())
        if plain in long:
            unclear = plain.endswith("'s") and plain != "let's" and pattern(UNCLEAR).match(passage.text, match.end())
            if direction != "contract" and not unclear:
                edits.append(Edit(match.start(), match.end(), like(original, long[plain])))
        elif direction != "expand" and _word_follows(passage.text, match.end(), plain):
            short = like(original, _contracted()[plain]).replace("'", mark)
            edits.append(Edit(match.start(), match.end(), short))
    return edits


def _word_follows(text: str, end: int, plain: str) -> bool:
    """Whether a word follows, as `it is` needs to be contracted; `is not` does not."""
    return plain.endswith("not") or bool(pattern(r"\s+\p{L}").match(text, end))


@cache
def _expanded() -> dict[str, str]:
    """Map contractions to their expansions, in lower case except for I."""
    affirmed = {
        f"{subject}'{short}": f"{'I' if subject == 'i' else subject} {verb}"
        for (short, verb), subjects in ((key.split(), who.split()) for key, who in SUBJECTS.items())
        for subject in subjects
    }
    return affirmed | {word: word.removesuffix("n't") + " not" for word in NEGATED.split()} | IRREGULAR


@cache
def _contracted() -> dict[str, str]:
    return {long.lower(): "I" + short[1:] if long.startswith("I ") else short for short, long in _expanded().items()}


@cache
def _alternatives() -> str:
    forms = sorted({*_expanded(), *_contracted()}, key=lambda form: (-len(form), form))
    ways = "|".join(form.replace("'", "['’]").replace(" ", r"\s+") for form in forms)
    return rf"(?i)(?<![\p{{L}}\p{{N}}'’])(?:{ways})(?![\p{{L}}\p{{N}}'’])"
