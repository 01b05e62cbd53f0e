"""Apply augmentations to a sample for a preview: each alone, and all together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ftaug.augment.random_streams import named
from ftaug.augment.transform import Transform
from ftaug.config.registry import Component
from ftaug.interfaces.preview import Row
from ftaug.text.augmentations.pipeline import SECOND, Pipeline
from ftaug.text.edits import Edit, Protection
from ftaug.text.preview.diff import Piece, by_words, composed, pieces

TRIES = 100


class Change(NamedTuple):
    """A text and its edits."""

    before: str
    edits: tuple[Edit, ...] = ()

    @property
    def after(self) -> str:
        """The text after the edits."""
        return "".join(piece.after for piece in self.pieces)

    @property
    def pieces(self) -> list[Piece]:
        """The text as unchanged and changed pieces, in order."""
        return pieces(self.before, self.edits)


@dataclass(frozen=True)
class Trial:
    """Result of a pipeline on a sample in one epoch."""

    epoch: int
    changes: tuple[Change, ...]  # one per text of the sample
    drawn: Mapping[str, Mapping[str, float | str]]

    @property
    def changed(self) -> bool:
        """Whether any text was changed."""
        return any(change.edits for change in self.changes)


Compared = Callable[[str, str, Sequence[Transform]], tuple[Edit, ...]]
"""Return the edits between a text and its augmented version, given the transforms drawn."""


def true_edits(before: str, after: str, draws: Sequence[Transform]) -> tuple[Edit, ...]:
    """Return the actual edits of the ops, composed."""
    return composed(before, draws)


def word_edits(before: str, after: str, draws: Sequence[Transform]) -> tuple[Edit, ...]:
    """Return a word-level diff of the two texts."""
    return by_words(before, after)


def tried(pipeline: Pipeline, row: Row, epoch: int, compared: Compared) -> Trial:
    """Apply a pipeline to a sample with its random streams of an epoch."""
    changes = []
    drawn: dict[str, dict[str, float | str]] = {}
    for text, prefix in ((row.raw.first, ""), (row.raw.second, SECOND)):
        if text is None:
            continue
        after, draws = text, []
        for name, seen, step_draws in pipeline.steps(text, row.streams(epoch), row.labels, prefix):
            after = seen.text
            draws += step_draws
            if not _only_protects(step_draws):
                drawn[prefix + name] = {key: value for draw in step_draws for key, value in draw.values.items()}
        changes.append(Change(text, compared(text, after, draws)))
    return Trial(epoch, tuple(changes), drawn)


def first_change(pipeline: Pipeline, row: Row) -> Trial:
    """Return the trial of the first epoch that changes the sample; epoch 0 if none of TRIES does."""
    trials = (tried(pipeline, row, epoch, true_edits) for epoch in range(TRIES))
    first = next(trials)
    return first if first.changed else next((trial for trial in trials if trial.changed), first)


class Alone(NamedTuple):
    """An op with a pipeline in which it is the only text-changing op."""

    name: str  # of its random stream: a second `swap` is `swap#1`
    op: Component
    pipeline: Pipeline


def alone(augment: Sequence[Component], preprocessing: Mapping[str, Any], row: Row) -> list[Alone]:
    """Return a pipeline per text-changing op, which includes the protecting ops before it."""
    result = []
    protecting: tuple[Component, ...] = ()
    for name, op in named(augment):
        if _protects(Pipeline((op,), preprocessing), row):
            protecting = (*protecting, op)
        else:
            result.append(Alone(name, op, Pipeline((*protecting, op), preprocessing)))
    return result


def _protects(pipeline: Pipeline, row: Row) -> bool:
    """Whether an op only protects spans from later ops."""
    text = row.raw.first
    return any(_only_protects(draws) for _, _, draws in pipeline.steps(text, row.streams(0), row.labels))


def _only_protects(draws: Sequence[Transform]) -> bool:
    return all(isinstance(draw, Protection) for draw in draws)
