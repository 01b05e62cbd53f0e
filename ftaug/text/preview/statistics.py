"""Statistics of text augmentations: how often they fire, and how many characters and words they change."""

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
"""Share of unchanged words below which a text counts as wiped out."""

OFTEN = 0.05
"""Share of wiped-out texts from which on the preview warns."""


@dataclass(frozen=True)
class Effect:
    """Statistics of one op applied alone over some texts and epochs; shares are from 0 to 1."""

    op: str  # name of its random stream: a second `swap` is `swap#1`
    tries: int
    fired: float
    characters: float | None  # share of edited characters, averaged over the texts where it fired
    words: float | None  # share of edited words, likewise
    unchanged: float  # share of fired draws without a change
    wiped_out: float  # share of fired draws that left less than LEFT of the words

    @property
    def warning(self) -> str | None:
        """Recommended change of the settings; None if there is none."""
        if self.fired == 0:
            return f"{self.op} did nothing in {self.tries} tries: raise its probability, or leave it out"
        if self.unchanged == 1:
            return f"{self.op} changes none of these texts: make it stronger, or leave it out"
        if self.wiped_out >= OFTEN:
            return f"{self.op} removes nearly all words in {self.wiped_out:.0%} of the texts: make it weaker"
        return None

    def describe(self) -> Mapping[str, str]:
        """Return the figures as human-readable text, keyed by column heading."""
        return {
            "fired": f"{self.fired:.0%}",
            "characters changed": "–" if self.characters is None else f"{self.characters:.1%}",
            "words changed": "–" if self.words is None else f"{self.words:.1%}",
            "unchanged": f"{self.unchanged:.0%}",
            "wiped out": f"{self.wiped_out:.0%}",
        }


def effects(augment: Sequence[Component], preprocessing: Mapping[str, Any], rows: Sequence[Row]) -> list[Effect]:
    """Compute the statistics of every text-changing op, each applied alone."""
    return [_effect(name, pipeline, rows) for name, _, pipeline in alone(augment, preprocessing, rows[0])]


def _effect(name: str, pipeline: Pipeline, rows: Sequence[Row]) -> Effect:
    trials = [tried(pipeline, row, epoch, true_edits) for row in rows for epoch in range(EPOCHS)]
    fired = [trial for trial in trials if trial.drawn]
    return Effect(
        op=name,
        tries=len(trials),
        fired=len(fired) / len(trials),
        characters=float(np.mean([_character_share(trial) for trial in fired])) if fired else None,
        words=float(np.mean([_word_share(trial) for trial in fired])) if fired else None,
        unchanged=sum(not trial.changed for trial in fired) / max(1, len(fired)),
        wiped_out=sum(map(_wiped_out, fired)) / max(1, len(fired)),
    )


def _character_share(trial: Trial) -> float:
    """Share of changed characters; insertions count."""
    changed = sum(max(end - start, len(new)) for change in trial.changes for start, end, new in change.edits)
    return changed / max(1, sum(len(change.before) for change in trial.changes))


def _word_share(trial: Trial) -> float:
    """Share of changed words; insertions count."""
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
    """Whether less than LEFT of the words are unchanged, ignoring case."""
    before, after = (
        Counter(text[word.start : word.end].casefold() for text in texts for word in words_of(text))
        for texts in ([c.before for c in trial.changes], [c.after for c in trial.changes])
    )
    return (before & after).total() < LEFT * before.total()
