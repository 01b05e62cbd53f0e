"""Statistics of image augmentations: firing rate, mean change, unchanged and wiped-out images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ftaug.image.augmentations.pipeline import Pipeline
from ftaug.image.augmentations.transforms import Canvas
from ftaug.image.io.decode import opened
from ftaug.interfaces.preview import Row

EPOCHS = 8
SEEN = 0.1
"""An image is wiped out if its standard deviation falls below this share of the original's."""

OFTEN = 0.05
"""Share of wiped-out images from which a warning is given."""


@dataclass(frozen=True)
class Effect:
    """Statistics of a single op over some images and epochs. Shares are in 0…1."""

    op: str  # name of its random stream: a second `rotate` is `rotate#1`
    tries: int
    fired: float
    change: float | None  # mean absolute change of a value, in gray levels, where it fired and the size stayed
    unchanged: float  # share of those that fired and left every value as it was
    wiped_out: float  # share of those that fired and left next to nothing to see

    @property
    def warning(self) -> str | None:
        """Return the recommended change of the settings, if any."""
        if self.fired == 0:
            return f"{self.op} did nothing in {self.tries} tries: raise its probability, or leave it out"
        if self.unchanged == 1:
            return f"{self.op} changes none of these pictures: make it stronger, or leave it out"
        if self.wiped_out >= OFTEN:
            return f"{self.op} leaves nothing to see in {self.wiped_out:.0%} of the pictures: make it weaker"
        return None

    def describe(self) -> Mapping[str, str]:
        """Return the human-readable figures by their headings."""
        return {
            "fired": f"{self.fired:.0%}",
            "mean change": "–" if self.change is None else f"{self.change:.1f} of 255",
            "unchanged": f"{self.unchanged:.0%}",
            "wiped out": f"{self.wiped_out:.0%}",
        }


def effects(pipeline: Pipeline, rows: Sequence[Row]) -> list[Effect]:
    """Compute the statistics of every op of a pipeline, each alone."""
    plain = Pipeline((), pipeline.preprocessing)
    before = [plain(row.raw, row.streams(0)) for row in rows]  # resampled as in training, not as in evaluation
    return [_effect(name, index, pipeline, rows, before) for index, (name, _) in enumerate(pipeline.named)]


def _effect(name: str, index: int, pipeline: Pipeline, rows: Sequence[Row], before: Sequence[np.ndarray]) -> Effect:
    alone = Pipeline((pipeline.augment[index],), pipeline.preprocessing)
    results = list(_results(alone, rows, before))
    tries = EPOCHS * len(rows)
    same_size = [(old, new) for old, new in results if old.shape == new.shape]
    changes = [float(np.abs(new.astype(np.int16) - old).mean()) for old, new in same_size]
    wiped_out = [new.std() < SEEN * old.std() for old, new in results]
    return Effect(
        op=name,
        tries=tries,
        fired=len(results) / tries,
        change=float(np.mean(changes)) if changes else None,
        unchanged=sum(change == 0 for change in changes) / max(1, len(results)),
        wiped_out=sum(wiped_out) / max(1, len(results)),
    )


def _results(
    alone: Pipeline, rows: Sequence[Row], before: Sequence[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield images without and with an op, for the epochs in which it fires."""
    for row, old in zip(rows, before, strict=True):
        picture = opened(row.raw)
        canvas = Canvas(picture.height, picture.width, alone.target, row.labels)
        for epoch in range(EPOCHS):
            if any(alone.fired(canvas, row.streams(epoch))):
                yield old, alone(row.raw, row.streams(epoch), row.labels)
