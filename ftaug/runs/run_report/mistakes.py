"""The section on the worst and the most confident mistakes, or on the largest errors of a regression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.engine.loading.prepare import modality_of
from ftaug.errors import NotReached
from ftaug.interfaces.data import Input, TaskKind
from ftaug.interfaces.document import Gallery, HighlightedText, Paragraph, Picture, Section
from ftaug.interfaces.explanation import Explanation
from ftaug.runs.explanation import method_choice
from ftaug.runs.explanation.explain import Explainer, described
from ftaug.runs.explanation.explained_model import ExplainedModel
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.runs.run_report.sample_items import sample_items
from ftaug.runs.sample_records import sample_losses
from ftaug.statistics.records import Records

MOST = 12
"""Number of samples that are shown."""

EXPLAINED: Mapping[TaskKind, str] = {
    "single_label": "the predicted class",
    "multi_label": "the label that is most wrong",
    "regression": "the predicted value",
}

LOW_ROAD = 0.05
"""ROAD, a share of probability, below which explanations say little."""


@dataclass(frozen=True)
class WorstSample:
    """A sample with a wrong prediction or a large error."""

    position: int  # in the split
    output: int  # index of the class or target that is most wrong
    caption: str
    facts: dict[str, Any]


def mistakes(run: ReportedRun) -> Section | None:
    """Show up to MOST of the worst predictions, explained by the method that `ftaug explain` chooses.

    None if all predictions are right.
    """
    samples = _worst_samples(run)
    return _section(run, samples, *_explained_items(run, samples)) if samples else None


def mistakes_without_explanations(run: ReportedRun) -> Section | None:
    """Show up to MOST of the worst predictions, which takes well under a second; None if all are right."""
    samples = _worst_samples(run)
    return _section(run, samples, _items(run, samples), "", {}) if samples else None


def _section(
    run: ReportedRun,
    samples: Sequence[WorstSample],
    items: Sequence[Picture | HighlightedText],
    method: str,
    facts: Mapping[str, Any],
) -> Section:
    counted = {} if run.task.regression else {"mistakes": int((~run.records.correct).sum())}
    facts = {"samples": len(run.records), **counted, **facts, "shown": [each.facts for each in samples]}
    title = "Largest errors" if run.task.regression else "Worst and most confident mistakes"
    introduction = f"{_introduction(run.records, len(samples))} {method}".strip()
    return Section("mistakes", title, [Paragraph(introduction), Gallery(items)], facts)


def worst(records: Records, count: int) -> np.ndarray:
    """Return the rows of the worst predictions, those with the highest loss first: int64 (at most count,).

    Of mistakes half have the highest loss, and half are those of the highest confidence among the others.
    """
    if records.task.regression:
        return np.argsort(-_errors(records, np.arange(len(records))).mean(axis=1), kind="stable")[:count]
    wrong = np.flatnonzero(~records.correct)
    is_single = records.task.kind == "single_label"  # then no errors of all classes are needed
    confidences = records.predictions.max(axis=1)[wrong] if is_single else _errors(records, wrong).max(axis=1)
    by_loss = np.argsort(-sample_losses(records)[wrong], kind="stable")
    by_confidence = np.argsort(-confidences, kind="stable")
    alternating = np.stack([by_loss, by_confidence], axis=1).ravel().tolist()
    chosen = {*list(dict.fromkeys(alternating))[:count]}
    return wrong[[row for row in by_loss.tolist() if row in chosen]]


def _errors(records: Records, rows: np.ndarray) -> np.ndarray:
    """Return how wrong each output of the rows is, (rows, classes): how far a probability is from the truth.

    Outputs that lead to the right decision count as 0. In regression it is the squared error, relative to the variance
    of the target.
    """
    chosen = records.select(rows)
    predictions = chosen.predictions.astype(np.float64)
    if records.task.regression:
        variances = records.targets.var(axis=0)
        return np.asarray((predictions - chosen.targets) ** 2 / np.where(variances > 0, variances, 1))
    positive, decided = chosen.positive, chosen.decided
    is_wrong = decided != positive if records.task.multi_label else decided & ~positive
    return np.asarray(np.abs(predictions - positive) * is_wrong)


def _worst_samples(run: ReportedRun) -> list[WorstSample]:
    rows = worst(run.records, MOST)
    outputs = _errors(run.records, rows).argmax(axis=1)
    losses = sample_losses(run.records.select(rows))
    return [
        _describe(run, int(row), int(output), float(loss))
        for row, output, loss in zip(rows, outputs, losses, strict=True)
    ]


def _describe(run: ReportedRun, position: int, output: int, loss: float) -> WorstSample:
    task, predicted = run.task, run.records.predictions[position]
    label, prediction = run.data.describe(position), described(task, predicted)
    facts = {
        "name": run.names[position],
        "target": label,
        "prediction": prediction.removeprefix("predicted "),
        **({} if task.regression else {"class": task.classes[output], "probability": float(predicted[output])}),
        "loss": loss,
    }
    caption = f"{'target' if task.regression else 'labeled'} {label}, {prediction}; {Path(run.names[position]).name}"
    return WorstSample(position, output, caption, facts)


def _introduction(records: Records, shown: int) -> str:
    if records.task.regression:
        return (
            f"The {shown} samples with the largest errors of {len(records):,}, relative to the spread of the targets."
        )
    mistakes = int((~records.correct).sum())
    if mistakes <= shown:
        if mistakes == 1:
            return f"The only mistake on {len(records):,} samples."
        return f"All {mistakes} mistakes on {len(records):,} samples, those with the highest loss first."
    return (
        f"{shown} of {mistakes:,} mistakes on {len(records):,} samples: half with the highest loss, half with the "
        "highest confidence."
    )


def _items(run: ReportedRun, samples: Sequence[WorstSample]) -> list[Picture | HighlightedText]:
    return sample_items(run, ((each.position, each.caption) for each in samples))


def _explained_items(
    run: ReportedRun, samples: Sequence[WorstSample]
) -> tuple[list[Picture | HighlightedText], str, dict[str, Any]]:
    """Return the samples with their explanations, a sentence on the method, and JSON values."""
    opened = run.model
    model = ExplainedModel.for_explainers(opened)
    try:
        choice = method_choice.choose(opened, model, None)
    except NotReached as refused:
        reasons = [str(problem) for problem in refused.problems]
        sentence = f"Not explained, as no method passes its test: {'; '.join(reasons)}."
        return _items(run, samples), sentence, {"refused": reasons}
    modality = modality_of(opened.experiment)
    items = []
    for each in samples:
        explainer = Explainer(opened, model, choice.method, each.output)
        for explanation in _explanations(explainer, run, each.position):
            which = "" if run.task.kind == "single_label" else f"; explained: {explanation.output}"
            caption = f"{each.caption}{which}"
            items.append(modality.explained_item(explanation, opened.preprocessing, caption))
            each.facts["explained"] = {"output": explanation.output, **explanation.attribution.figures}
    road = choice.check.road or 0.0
    sentence = (
        f"Explained by {choice.method.name}, which ftaug explain chooses for this model (ROAD {road:.2f}): orange "
        f"raises {EXPLAINED[run.task.kind]}, blue lowers it."
    )
    if road < LOW_ROAD and not run.task.regression:
        sentence += " So low a ROAD means that no method explains this model well."
    return items, sentence, {"method": choice.method.name, "road": road}


def _explanations(explainer: Explainer, run: ReportedRun, position: int) -> Iterator[Explanation]:
    samples, sample = run.data.samples, int(run.data.ids[position])
    source = Input(run.names[position], partial(samples.read, sample))
    return (item for item in explainer.explain([source]) if isinstance(item, Explanation))
