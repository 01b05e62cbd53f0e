"""Augmentations tried on a sample: each alone, and all together."""

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
    """A text and what is done to it."""

    before: str
    edits: tuple[Edit, ...] = ()

    @property
    def after(self) -> str:
        """The text after the edits."""
        return "".join(piece.after for piece in self.pieces)

    @property
    def pieces(self) -> list[Piece]:
        """The text as stretches that stayed and stretches that became others."""
        return pieces(self.before, self.edits)


@dataclass(frozen=True)
class Trial:
    """What a pipeline did to a sample in an epoch."""

    epoch: int
    changes: tuple[Change, ...]  # of the text, or of both texts of a pair
    drawn: Mapping[str, Mapping[str, float | str]]

    @property
    def changed(self) -> bool:
        """Whether any of the texts is another one."""
        return any(change.edits for change in self.changes)


Compared = Callable[[str, str, Sequence[Transform]], tuple[Edit, ...]]
"""From a text, what it became and what was drawn to how the two differ."""


def true_edits(before: str, after: str, draws: Sequence[Transform]) -> tuple[Edit, ...]:
    """The edits that an op made."""
    return composed(before, draws)


def word_edits(before: str, after: str, draws: Sequence[Transform]) -> tuple[Edit, ...]:
    """The words in which the two texts differ."""
    return by_words(before, after)


def tried(pipeline: Pipeline, row: Row, epoch: int, compared: Compared) -> Trial:
    """Let a pipeline do to a sample what it does in an epoch."""
    changes = []
    drawn: dict[str, dict[str, float | str]] = {}
    for text, prefix in ((row.raw.first, ""), (row.raw.second, SECOND)):
        if text is None:
            continue
        after, draws = text, []
        for name, seen, own in pipeline.steps(text, row.streams(epoch), row.labels, prefix):
            after = seen.text
            draws += own
            if not _only_protects(own):
                drawn[prefix + name] = {key: value for draw in own for key, value in draw.values.items()}
        changes.append(Change(text, compared(text, after, draws)))
    return Trial(epoch, tuple(changes), drawn)


def first_change(pipeline: Pipeline, row: Row) -> Trial:
    """What a pipeline does in the first epoch in which it changes a sample; in epoch 0 if it never does."""
    trials = (tried(pipeline, row, epoch, true_edits) for epoch in range(TRIES))
    first = next(trials)
    return first if first.changed else next((trial for trial in trials if trial.changed), first)


class Alone(NamedTuple):
    """An op and the pipeline in which it is the only one that changes texts."""

    name: str  # of its stream: a second `swap` is `swap#1`
    op: Component
    pipeline: Pipeline


def alone(augment: Sequence[Component], preprocessing: Mapping[str, Any], row: Row) -> list[Alone]:
    """The ops that change texts, each behind those before it that only protect: they keep it from some words."""
    result = []
    protecting: tuple[Component, ...] = ()
    for name, op in named(augment):
        if _protects(Pipeline((op,), preprocessing), row):
            protecting = (*protecting, op)
        else:
            result.append(Alone(name, op, Pipeline((*protecting, op), preprocessing)))
    return result


def _protects(pipeline: Pipeline, row: Row) -> bool:
    """Whether an op leaves texts as they are and only keeps others from changing them."""
    text = row.raw.first
    return any(_only_protects(draws) for _, _, draws in pipeline.steps(text, row.streams(0), row.labels))


def _only_protects(draws: Sequence[Transform]) -> bool:
    return all(isinstance(draw, Protection) for draw in draws)
