"""The section on the training samples that are most similar to mistakes: are labels wrong, or samples copies?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ftaug.engine.loading import seeds
from ftaug.engine.loading.split import DataSplit
from ftaug.interfaces.document import Block, Gallery, Paragraph, Section
from ftaug.runs.explanation.explain import described
from ftaug.runs.neighbors import FeatureIndex, Neighbor, index_of, stored_index, subset
from ftaug.runs.penultimate_features import NoFeatures
from ftaug.runs.run_report.budget import forward_passes
from ftaug.runs.run_report.mistakes import worst
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.runs.run_report.sample_items import items_of, sample_items

MISTAKES = 6
"""Number of mistakes whose neighbors are shown."""

NEIGHBORS = 4


def neighbors(run: ReportedRun) -> Section | None:
    """Show the training samples that are nearest to the worst mistakes, by features of the run's network.

    None without mistakes, and for a network that has no features, such as the average of folds. Raises BadSample.
    """
    rows = worst(run.records, MISTAKES)
    if not len(rows) or "train" not in run.model.splits:
        return None
    try:
        index = stored_index(run.model) or index_of(run.model, _candidates(run, rows))
        nearest = _search(run, index, rows)
    except NoFeatures:
        return None
    findings = [_finding(run, row, nearby) for row, nearby in zip(rows.tolist(), nearest, strict=True)]
    blocks: list[Block] = [Paragraph(_introduction(run, index.train, len(rows)))]
    blocks += [_gallery(run, *each) for each in zip(rows.tolist(), nearest, findings, strict=True)]
    facts = [
        {"name": run.names[row], "neighbors": [each.facts for each in nearby], "finding": finding}
        for row, nearby, finding in zip(rows.tolist(), nearest, findings, strict=True)
    ]
    return Section("neighbors", "Nearest training samples", blocks, {"searched": len(index.train), "mistakes": facts})


def _candidates(run: ReportedRun, rows: np.ndarray) -> DataSplit:
    """Choose the training samples to search: all if the budget allows, else those of the mistaken classes first."""
    train = run.model.splits["train"]
    most = forward_passes(run.model, run.data.samples.read(int(run.data.ids[rows[0]])))
    if len(train) <= most:
        return train
    order = seeds.generator(run.experiment.seed, "neighbors").permutation(len(train))
    if run.task.kind == "single_label":
        classes = {*run.records.targets[rows].tolist(), *run.records.predicted_class[rows].tolist()}
        concerned = np.isin(train.targets[order], list(classes))
        order = np.concatenate([order[concerned], order[~concerned]])
    return subset(train, np.sort(order[: max(most, NEIGHBORS + 1)]))


def _search(run: ReportedRun, index: FeatureIndex, rows: np.ndarray) -> list[list[Neighbor]]:
    ids = run.data.ids[rows].tolist()
    same_dataset = run.data.samples is index.train.samples
    return index.search([run.data.samples.read(i) for i in ids], NEIGHBORS, ids if same_dataset else [None] * len(ids))


def _introduction(run: ReportedRun, searched: DataSplit, mistakes: int) -> str:
    total = len(run.model.splits["train"])
    which = f"all {total:,} training samples"
    if len(searched) < total:
        which = f"{len(searched):,} of {total:,} training samples, those of the mistaken classes first"
        which += f" (ftaug explain {run.folder} INPUT --neighbors {NEIGHBORS} searches all)"
    noun = "largest error" if run.task.regression else "worst mistake"
    text = (
        f"{f'Each of the {noun}s' if mistakes > 1 else f'The {noun}'}, followed by the most similar of {which}; "
        "similarity is the cosine of the inputs of the output layer."
    )
    if run.task.kind == "single_label":
        text += (
            " Most neighbors are of the predicted class; where they look like the sample too, its label may be wrong."
        )
    return text


def _finding(run: ReportedRun, row: int, neighbors: list[Neighbor]) -> str:
    """Return what the neighbors say about a mistake; empty if nothing is striking."""
    label = run.data.describe(row)
    copies = [each for each in neighbors if each.is_copy]
    if copies:
        same = copies[0].sample.label == label
        return f"a near duplicate is in training{'' if same else f', labeled {copies[0].sample.label}'}"
    if run.task.kind != "single_label":
        return ""
    predicted = run.task.classes[run.records.predicted_class[row]]
    agreeing = sum(each.sample.label == predicted for each in neighbors)
    if agreeing == len(neighbors):
        return f"all {agreeing} neighbors are labeled {predicted}"
    return ""


def _gallery(run: ReportedRun, row: int, neighbors: list[Neighbor], finding: str) -> Gallery:
    label = f"{'target' if run.task.regression else 'labeled'} {run.data.describe(row)}"
    items = sample_items(run, [(row, f"{label}; {Path(run.names[row]).name}")])
    for each in neighbors:
        caption = f"training: {each.sample.label} ({each.similarity:.2f}); {Path(each.sample.name).name}"
        items += items_of(run, each.sample.split, [(each.sample.position, caption)])
    caption = f"{label}, {described(run.task, run.records.predictions[row])}"
    return Gallery(items, f"{caption}; {finding}" if finding else caption)
