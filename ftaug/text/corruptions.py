"""The corruptions by which the robustness of text models is measured: typos, case and punctuation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftaug.config.registry import Component
from ftaug.interfaces.modality import Corruption, Corruptions
from ftaug.text.lexicon import lexicon

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4)
"""Share of the words that get a typo at each level, and of the places that get punctuation at most."""
CASE_SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Share of the words of another case that are changed at each level."""
TYPOS = ("keyboard", "swap_characters", "drop_characters", "insert_characters", "ocr")
CASES = {"lower_case": "lower", "upper_case": "upper"}
MARKS = (".", ";", "?", ":", "!", ",")


def corruptions(preprocessing: Mapping[str, Any]) -> Corruptions:
    """Return typos, changes of case and added punctuation, at 5 levels each; no case if the tokenizer ignores it."""
    members = [Corruption(op, "typos", _levels(op), (op,)) for op in TYPOS]
    ignores_case = lexicon(preprocessing["tokenizer"], **preprocessing["lexicon"]).lower_cases
    if not ignores_case:
        members += [Corruption(n, "case", _cases(to), ("change_case",)) for n, to in CASES.items()]
    members.append(Corruption("punctuation", "punctuation", _levels("aeda", marks=MARKS), ("aeda",)))
    notes = ["case is left out: the backbone's tokenizer puts all in lower case"] if ignores_case else []
    return Corruptions(members, notes)


def _cases(case: str) -> tuple[Component, ...]:
    return tuple(_component("change_case", share, to=case) for share in CASE_SHARES)


def _levels(op: str, **settings: Any) -> tuple[Component, ...]:
    return tuple(_component(op, share, **settings) for share in SHARES)


def _component(op: str, share: float, **settings: Any) -> Component:
    complete = {"share": share, **settings, "probability": 1.0}
    return Component("augmentation", op, complete, "text", "ftaug.text.augmentations")
