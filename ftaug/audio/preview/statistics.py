"""Statistics of audio augmentations: firing rate, and the change of the spectrogram and of the level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.packed import HEADER, pack
from ftaug.audio.picture import values_of
from ftaug.interfaces.data import Streams
from ftaug.interfaces.preview import Row

EPOCHS = 8
LEFT = 0.1
"""A sound is wiped out if the standard deviation of its spectrogram falls below this share of what it was."""

OFTEN = 0.05
"""Share of wiped-out sounds from which a warning is given."""


@dataclass(frozen=True)
class Effect:
    """Statistics of a single op over some sounds and epochs; shares are from 0 to 1."""

    op: str  # name of its random stream: a second `gain` is `gain#1`
    tries: int
    fired: float
    change: float | None  # mean absolute change of a value of the spectrogram, in its standard deviations
    level: float | None  # mean absolute change of the level in dB
    unchanged: float  # share of fired draws after which waveform and spectrogram are as before
    wiped_out: float  # share of fired draws that left next to nothing to see

    @property
    def warning(self) -> str | None:
        """Recommended change of the settings; None if there is none."""
        if self.fired == 0:
            return f"{self.op} did nothing in {self.tries} tries: raise its probability, or leave it out"
        if self.unchanged == 1:
            return f"{self.op} changes none of these sounds: make it stronger, or leave it out"
        if self.wiped_out >= OFTEN:
            return f"{self.op} leaves nothing to hear in {self.wiped_out:.0%} of the sounds: make it weaker"
        return None

    def describe(self) -> Mapping[str, str]:
        """Return the human-readable figures by their headings."""
        return {
            "fired": f"{self.fired:.0%}",
            "mean change": "–" if self.change is None else f"{self.change:.2f} σ",
            "level": "–" if self.level is None else f"{self.level:.1f} dB",
            "unchanged": f"{self.unchanged:.0%}",
            "wiped out": f"{self.wiped_out:.0%}",
        }


def effects(pipeline: Pipeline, rows: Sequence[Row]) -> list[Effect]:
    """Compute the statistics of every op of a pipeline, each alone."""
    plain = Pipeline((), pipeline.preprocessing)
    return [
        _effect(name, Pipeline((op,), pipeline.preprocessing), plain, rows)
        for (name, _), op in zip(pipeline.named, pipeline.augment, strict=True)
    ]


def _effect(name: str, alone: Pipeline, plain: Pipeline, rows: Sequence[Row]) -> Effect:
    tries = [(row, row.streams(epoch)) for row in rows for epoch in range(EPOCHS)]
    fired = [(row, streams) for row, streams in tries if alone.draw(1.0, streams, row.labels)[0]]
    pairs = [(_packed(plain, row, streams), _packed(alone, row, streams)) for row, streams in fired]
    changes = [_Change.of(before, after, alone) for before, after in pairs]
    return Effect(
        op=name,
        tries=len(tries),
        fired=len(changes) / len(tries),
        change=float(np.mean([change.spectrogram for change in changes])) if changes else None,
        level=float(np.mean([change.level for change in changes])) if changes else None,
        unchanged=sum(change.nothing for change in changes) / max(1, len(changes)),
        wiped_out=sum(change.wiped_out for change in changes) / max(1, len(changes)),
    )


def _packed(pipeline: Pipeline, row: Row, streams: Streams) -> np.ndarray:
    part, boxes, _ = pipeline.drawn(row.raw, streams, row.labels)
    return pack(*part, boxes)


class _Change(NamedTuple):
    """What an op did to a sound."""

    spectrogram: float  # mean absolute change, in standard deviations
    level: float  # dB
    nothing: bool
    wiped_out: bool

    @classmethod
    def of(cls, before: np.ndarray, after: np.ndarray, pipeline: Pipeline) -> _Change:
        """Compare packed sounds."""
        old, new = values_of(np.stack([before, after]), pipeline.preprocessing)
        spread = float(old.std()) or 1.0
        change = float(np.abs(new - old).mean()) / spread
        level = abs(_level(after) - _level(before))
        return cls(change, level, bool(np.array_equal(before, after)), bool(new.std() < LEFT * spread))


def _level(packed: np.ndarray) -> float:
    return float(10 * np.log10(np.square(packed[HEADER:], dtype=np.float64).mean() + 1e-12))
