"""Preview texts before and after augmentation: the functions of `interfaces.Show`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ftaug.augment import summary
from ftaug.config.registry import Component
from ftaug.config.severity import governed, gradations
from ftaug.errors import ExperimentError
from ftaug.interfaces.document import Gallery, HighlightedText
from ftaug.interfaces.preview import Preview, PreviewRequest, Row
from ftaug.text.augmentations.pipeline import Pipeline
from ftaug.text.preview.html import page
from ftaug.text.preview.statistics import Effect
from ftaug.text.preview.statistics import effects as effects_of
from ftaug.text.preview.terminal import Screen
from ftaug.text.preview.trials import Trial, alone, first_change, tried, true_edits, word_edits
from ftaug.text.preview.versions import Group, PreviewItem, Version, names_in_short, values_in_short

noun = "text"
default_output = None
TOGETHER, DRAWS = 3, 7
CHANGED = 0.5
"""Weight with which changed words are highlighted in a report."""
SUFFIXES = (".html", ".htm")


def check_output(output: Path) -> None:
    """Raise ExperimentError if the output is not an HTML file."""
    if output.suffix.lower() not in SUFFIXES:
        raise ExperimentError(f"{output}: must end in .html: texts are shown on a page")


def overview(showing: PreviewRequest) -> Preview:
    """Preview texts unchanged, after each augmentation alone, and after all augmentations in the first epochs."""
    return _sheet(showing, _overview_items(showing), _augmentations(showing))


def galleries(showing: PreviewRequest) -> list[Gallery]:
    """Return the texts of the overview with what changed highlighted: a gallery for each sample."""
    return [
        Gallery(
            [
                HighlightedText([("\n\n".join(text for text in item.row.raw if text is not None), 0.0)], "original"),
                *(_highlighted(version) for group in item.groups for version in group.versions),
            ],
            f"{item.row.label_text}; {item.row.name}",
        )
        for item in _overview_items(showing)
    ]


def _highlighted(version: Version) -> HighlightedText:
    spans: list[tuple[str, float]] = []
    for change in version.trial.changes:
        spans += [("\n\n", 0.0)] if spans else []
        spans += [(piece.after, 0.0 if piece.kept else CHANGED) for piece in change.pieces if piece.after]
    return HighlightedText(spans, f"{version.heading}: {version.note}" if version.note else version.heading)


def _overview_items(showing: PreviewRequest) -> list[PreviewItem]:
    pipeline = Pipeline(showing.augment, showing.preprocessing)

    def groups(row: Row) -> list[Group]:
        each = [
            _version(op.name, first_change(pipeline, row), {"op": name})
            for name, op, pipeline in alone(showing.augment, showing.preprocessing, row)
        ]
        epochs = [tried(pipeline, row, epoch, word_edits) for epoch in range(TOGETHER)]
        together = [Version(f"epoch {trial.epoch + 1}", names_in_short(trial), trial, {}) for trial in epochs]
        return [Group("alone", "each alone", each), Group("together", "all together", together)]

    return [PreviewItem(row, groups(row)) for row in showing.rows]


def repeated(showing: PreviewRequest) -> Preview:
    """Preview texts unchanged and after a single augmentation in the first epochs."""
    (op,) = showing.augment
    pipeline = Pipeline((op,), showing.preprocessing)

    def draws(row: Row) -> list[Version]:
        trials = [tried(pipeline, row, epoch, true_edits) for epoch in range(DRAWS)]
        return [_version(f"draw {trial.epoch + 1}", trial, {"op": op.name}) for trial in trials]

    title = f"{op.name} {summary.of_settings(op)}".strip()
    samples = [PreviewItem(row, [Group("draws", title, draws(row))]) for row in showing.rows]
    return _sheet(showing, samples, _augmentations(showing))


def severities(showing: PreviewRequest) -> Preview:
    """Preview the first text at increasing severity of each op that has one, with the same random draw."""
    graded = [op for op in showing.augment if governed(op.entry)]
    without = [op.name for op in showing.augment if op not in graded]
    row = showing.rows[0]
    groups = [
        Group("severities", f"{op.name}: {', '.join(governed(op.entry))}", _versions_by_severity(op, showing))
        for op in graded
    ]
    subtitle = f"one text of {row.label_text}, the same draw at five severities"
    subtitle += f"; without a severity: {', '.join(without)}" if without else ""
    return _sheet(showing, [PreviewItem(row, groups)], subtitle)


def _versions_by_severity(op: Component, showing: PreviewRequest) -> list[Version]:
    row = showing.rows[0]
    by_severity = [(severity, Pipeline((component,), showing.preprocessing)) for severity, component in gradations(op)]
    epoch = first_change(by_severity[-1][1], row).epoch
    return [
        _version(
            f"severity {severity:g}", tried(pipeline, row, epoch, true_edits), {"op": op.name, "severity": severity}
        )
        for severity, pipeline in by_severity
    ]


def _version(heading: str, trial: Trial, what: Mapping[str, Any]) -> Version:
    return Version(heading, values_in_short(trial), trial, what)


def effects(showing: PreviewRequest) -> list[Effect]:
    """Compute statistics of each augmentation applied alone to these texts."""
    return effects_of(showing.augment, showing.preprocessing, showing.rows)


def _augmentations(showing: PreviewRequest) -> str:
    names = ", ".join(op.name for op in showing.augment) or "no augmentation"
    if showing.mix is not None:
        names += f"; {showing.mix.name} is not shown: it mixes embeddings, not words"
    return f"{showing.samples:,} training texts; {names}"


def _sheet(showing: PreviewRequest, samples: Sequence[PreviewItem], subtitle: str) -> Preview:
    facts = {"samples": [item.facts() for item in samples]}
    return Preview(
        lambda suffix: page(showing, samples, subtitle).encode(), facts, Screen(showing.title, subtitle, samples)
    )
