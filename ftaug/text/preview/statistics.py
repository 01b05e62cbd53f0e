"""What augmentations do to texts, in figures: how often they fire, how much they change, what they wipe out."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftaug.config.registry import Component
from ftaug.interfaces.preview import Row
from ftaug.text.augmentations.pipeline import Pipeline
from ftaug.text.preview.trials import Change, Trial, alone, tried, true_edits
from ftaug.text.segmentation import words_of

EPOCHS = 8
LEFT = 0.1
"""A text that keeps less than this share of its words says nothing any more."""

OFTEN = 0.05
"""The share of wiped-out texts from which on a person is warned."""


@dataclass(frozen=True)
class Effect:
    """What an op does alone, over some texts and epochs. Shares are from 0 to 1."""

    op: str  # the name of its stream: a second `swap` is `swap#1`
    tries: int
    fired: float
    characters: float | None  # share of the characters that edits touched, mean over the texts where it fired
    words: float | None  # share of the words
    unchanged: float  # share of those that fired and left the text as it was
    wiped_out: float  # share of those that fired and left next to none of its words

    @property
    def warning(self) -> str | None:
        """What a person should change, if anything."""
        if self.fired == 0:
            return f"{self.op} did nothing in {self.tries} tries: raise its probability, or leave it out"
        if self.unchanged == 1:
            return f"{self.op} changes none of these texts: make it stronger, or leave it out"
        if self.wiped_out >= OFTEN:
            return f"{self.op} leaves next to none of the words in {self.wiped_out:.0%} of the texts: make it weaker"
        return None

    def describe(self) -> Mapping[str, str]:
        """The figures for a person, under their headings."""
        return {
            "fired": f"{self.fired:.0%}",
            "characters changed": "–" if self.characters is None else f"{self.characters:.1%}",
            "words changed": "–" if self.words is None else f"{self.words:.1%}",
            "unchanged": f"{self.unchanged:.0%}",
            "wiped out": f"{self.wiped_out:.0%}",
        }


def effects(augment: Sequence[Component], preprocessing: Mapping[str, Any], rows: Sequence[Row]) -> list[Effect]:
    """The effect of every op that changes texts, each alone."""
    return [_effect(name, pipeline, rows) for name, _, pipeline in alone(augment, preprocessing, rows[0])]


def _effect(name: str, pipeline: Pipeline, rows: Sequence[Row]) -> Effect:
    trials = [tried(pipeline, row, epoch, true_edits) for row in rows for epoch in range(EPOCHS)]
    fired = [trial for trial in trials if trial.drawn]
    return Effect(
        op=name,
        tries=len(trials),
        fired=len(fired) / len(trials),
        characters=float(np.mean([_of_characters(trial) for trial in fired])) if fired else None,
        words=float(np.mean([_of_words(trial) for trial in fired])) if fired else None,
        unchanged=sum(not trial.changed for trial in fired) / max(1, len(fired)),
        wiped_out=sum(map(_wiped_out, fired)) / max(1, len(fired)),
    )


def _of_characters(trial: Trial) -> float:
    """The share of the characters that were changed; inserted ones count as others do."""
    changed = sum(max(end - start, len(new)) for change in trial.changes for start, end, new in change.edits)
    return changed / max(1, sum(len(change.before) for change in trial.changes))


def _of_words(trial: Trial) -> float:
    """The share of the words that were changed; inserted ones count as others do."""
    words = sum(len(words_of(change.before)) for change in trial.changes)
    return sum(map(_words_changed, trial.changes)) / max(1, words)


def _words_changed(change: Change) -> int:
    words = words_of(change.before)
    starts, ends = [word.start for word in words], [word.end for word in words]
    return sum(
        max(bisect_left(starts, end) - bisect_right(ends, start), len(words_of(new)))
        for start, end, new in change.edits
    )


def _wiped_out(trial: Trial) -> bool:
    """Whether hardly any word of the sample is left as it was, but for capitals."""
    before, after = (
        Counter(text[word.start : word.end].casefold() for text in texts for word in words_of(text))
        for texts in ([c.before for c in trial.changes], [c.after for c in trial.changes])
    )
    return (before & after).total() < LEFT * before.total()
