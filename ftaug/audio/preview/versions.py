"""Versions of a sound that a preview shows: as read, after each augmentation alone, and after all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.packed import HEADER, pack
from ftaug.audio.picture import spectrograms
from ftaug.augment import summary
from ftaug.config.registry import Component
from ftaug.config.severity import SHOWN, gradations
from ftaug.interfaces.preview import Row

TRIES = 100
AS_READ = ("data", "as read", "the middle window, without augmentation")


@dataclass(frozen=True)
class Versions:
    """A version of each sound, under a heading."""

    group: str
    heading: str
    note: str
    packed: np.ndarray  # float32 (rows, HEADER + samples)
    captions: Sequence[str]

    def pictures(self, preprocessing: Mapping[str, Any]) -> list[np.ndarray]:
        """Draw the spectrograms: uint8 (mels, frames, 3) each."""
        return spectrograms(self.packed, preprocessing)

    def wave(self, row: int) -> np.ndarray:
        """Return the waveform of a row: float32 (samples,)."""
        return np.asarray(self.packed[row, HEADER:])


def overview(
    rows: Sequence[Row], augment: Sequence[Component], preprocessing: Mapping[str, Any], epochs: int
) -> Iterator[Versions]:
    """Yield the sounds as read, after each augmentation alone, and after all of them in the first epochs."""
    plain = Pipeline((), preprocessing)
    yield Versions(*AS_READ, np.concatenate([plain.packed(row.raw, None)[0] for row in rows]), [""] * len(rows))
    for op in augment:
        alone = Pipeline((op,), preprocessing)
        chosen = [first_that_fires(alone, row) for row in rows]
        yield _augmented("each alone", op.name, summary.of_settings(op), alone, rows, chosen)
    pipeline = Pipeline(tuple(augment), preprocessing)
    for epoch in range(epochs if augment else 1):
        heading, note = f"epoch {epoch + 1}", "a window of the sound"
        yield _augmented("what the model sees", heading, note, pipeline, rows, [epoch] * len(rows))


def repeated(
    rows: Sequence[Row], op: Component, preprocessing: Mapping[str, Any], draws: int = 7
) -> Iterator[Versions]:
    """Yield the sounds as read, and after several draws of one augmentation."""
    yield next(overview(rows, (), preprocessing, 0))
    alone = Pipeline((op,), preprocessing)
    for epoch in range(draws):
        yield _augmented(op.name, f"draw {epoch + 1}", summary.of_settings(op), alone, rows, [epoch] * len(rows))


def by_severity(row: Row, ops: Sequence[Component], preprocessing: Mapping[str, Any]) -> Iterator[Versions]:
    """Yield growing severities, with a row for each op; the random draw is the same along a row."""
    by_op = [[Pipeline((graded,), preprocessing) for _, graded in gradations(op)] for op in ops]
    epochs = [first_that_fires(pipelines[-1], row) for pipelines in by_op]
    for place, severity in enumerate(SHOWN):
        drawn = [_version(pipelines[place], row, epoch) for pipelines, epoch in zip(by_op, epochs, strict=True)]
        packed, captions = zip(*drawn, strict=True)
        yield Versions("severity", f"severity {severity:g}", "", np.stack(packed), captions)


def _augmented(
    group: str, heading: str, note: str, pipeline: Pipeline, rows: Sequence[Row], epochs: Sequence[int]
) -> Versions:
    drawn = [_version(pipeline, row, epoch) for row, epoch in zip(rows, epochs, strict=True)]
    packed, captions = zip(*drawn, strict=True)
    return Versions(group, heading, note, np.stack(packed), captions)


def _version(pipeline: Pipeline, row: Row, epoch: int) -> tuple[np.ndarray, str]:
    """Return a packed, augmented window and the drawn values."""
    part, boxes, applied = pipeline.drawn(row.raw, row.streams(epoch), row.labels)
    return pack(*part, boxes), summary.of_values(applied.values)


def first_that_fires(alone: Pipeline, row: Row) -> int:
    """Return the first epoch in which an op fires for a sound; 0 if it never does."""
    return next((epoch for epoch in range(TRIES) if alone.draw(1.0, row.streams(epoch), row.labels)[0]), 0)
