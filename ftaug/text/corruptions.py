"""The corruptions by which the robustness of text models is measured: typos, case and punctuation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftaug.config.registry import Component
from ftaug.interfaces.modality import Corruption, Corruptions
from ftaug.text.lexicon import lexicon

SHARES = (0.05, 0.1, 0.2, 0.3, 0.4)
"""Share of the words that are changed at each level."""
TYPOS = ("keyboard", "swap_characters", "drop_characters", "insert_characters", "ocr")
CASES = {"lower_case": "lower", "upper_case": "upper"}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "change_case": {"to": "any"},
    "aeda": {"marks": (".", ";", "?", ":", "!", ",")},
}


def corruptions(preprocessing: Mapping[str, Any]) -> Corruptions:
    """Return typos, changes of case and added punctuation, at 5 levels each; no case if the tokenizer ignores it."""
    members = [Corruption(op, "typos", _levels(op), (op,)) for op in TYPOS]
    ignores_case = lexicon(preprocessing["tokenizer"], **preprocessing["lexicon"]).lower_cases
    if not ignores_case:
        members += [Corruption(n, "case", _levels("change_case", to=to), ("change_case",)) for n, to in CASES.items()]
    members.append(Corruption("punctuation", "punctuation", _levels("aeda"), ("aeda",)))
    notes = ["case is left out: the backbone's tokenizer puts all in lower case"] if ignores_case else []
    shares = ", ".join(f"{100 * share:.0f}" for share in SHARES)
    return Corruptions(members, [f"levels 1 to 5 change {shares} % of the words; negations stay", *notes])


def _levels(op: str, **settings: Any) -> tuple[Component, ...]:
    complete = {**SETTINGS.get(op, {}), **settings, "probability": 1.0}
    return tuple(
        Component("augmentation", op, {**complete, "share": share}, "text", "ftaug.text.augmentations")
        for share in SHARES
    )
