"""Columns of a contact sheet of images: as stored, after each augmentation alone, and after all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ftaug.augment import summary
from ftaug.config.registry import Component
from ftaug.config.severity import SHOWN, gradations
from ftaug.documents.contact_sheet import Column
from ftaug.image.augmentations.pipeline import Pipeline
from ftaug.image.augmentations.transforms import Canvas
from ftaug.image.io.decode import opened
from ftaug.interfaces.preview import Row

TRIES = 100
NOW = "now "
"""Prefix of a caption when augmentation has changed the classes."""


def columns(
    rows: Sequence[Row], augment: Sequence[Component], preprocessing: Mapping[str, Any], together: int = 4
) -> list[Column]:
    """Return columns with the original, every augmentation alone, and all augmentations in the first epochs."""
    result = [Column("data", "original", "as stored", [_upright(row.raw) for row in rows])]
    for op in augment:
        alone = Pipeline((op,), preprocessing)
        shown = [_shown(alone, row, _first_that_fires(alone, row)) for row in rows]
        result.append(Column("each alone", op.name, _settings(op), *zip(*shown, strict=True)))
    pipeline = Pipeline(tuple(augment), preprocessing)
    for epoch in range(together if augment else 1):
        shown = [_shown(pipeline, row, epoch) for row in rows]
        heading, note = f"epoch {epoch + 1}", _size(shown[0][0])
        result.append(Column("what the model sees", heading, note, *zip(*shown, strict=True)))
    return result


def repeated(rows: Sequence[Row], op: Component, preprocessing: Mapping[str, Any], draws: int = 7) -> list[Column]:
    """Return columns with the original, and several draws of one augmentation."""
    alone = Pipeline((op,), preprocessing)
    result = [Column("data", "original", "as stored", [_upright(row.raw) for row in rows])]
    for epoch in range(draws):
        shown = [_shown(alone, row, epoch) for row in rows]
        result.append(Column(op.name, f"draw {epoch + 1}", _settings(op), *zip(*shown, strict=True)))
    return result


def severity_grid(row: Row, ops: Sequence[Component], preprocessing: Mapping[str, Any]) -> list[Column]:
    """Return columns of growing severity, with a row for each op; the random draw is the same along a row."""
    by_op = [_by_severity(row, op, preprocessing) for op in ops]
    headings = [f"severity {severity:g}" for severity in SHOWN]
    return [
        Column("severity", heading, "", *zip(*shown, strict=True))
        for heading, shown in zip(headings, zip(*by_op, strict=True), strict=True)
    ]


def _by_severity(row: Row, op: Component, preprocessing: Mapping[str, Any]) -> list[tuple[np.ndarray, str]]:
    pipelines = [Pipeline((graded,), preprocessing) for _, graded in gradations(op)]
    epoch = _first_that_fires(pipelines[-1], row)
    return [_shown(pipeline, row, epoch) for pipeline in pipelines]


def _shown(pipeline: Pipeline, row: Row, epoch: int) -> tuple[np.ndarray, str]:
    """Return the augmented image and its caption: its new classes if they changed, else the drawn parameters."""
    pixels, applied = pipeline.augmented(row.raw, row.streams(epoch), row.labels)
    labels = applied.labels
    return pixels, summary.of_values(applied.values) if labels == row.labels else NOW + ", ".join(labels)


def _upright(raw: bytes | np.ndarray) -> np.ndarray:
    picture = opened(raw)
    return picture.turn.apply(picture.load(1))


def _first_that_fires(alone: Pipeline, row: Row) -> int:
    """Return the first epoch in which an op fires for an image; 0 if it never does."""
    picture = opened(row.raw)
    canvas = Canvas(picture.height, picture.width, alone.target, row.labels)
    return next((epoch for epoch in range(TRIES) if any(alone.fired(canvas, row.streams(epoch)))), 0)


def _settings(op: Component) -> str:
    return summary.of_settings(op, hidden=("border",))


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} × {pixels.shape[0]} pixels"
