"""The line that a report begins with: the main metric, and what it is to be compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ftaug.interfaces.document import Section
from ftaug.runs.run_report.formats import estimate, number, samples
from ftaug.runs.run_report.headline import Headline, headline
from ftaug.runs.run_report.reported_run import ReportedRun


def verdict(run: ReportedRun, sections: Sequence[Section] = ()) -> str:
    """Return `accuracy 0.943 [0.921–0.959] on 359 test samples; majority class 0.11; before training 0.88`.

    The accuracy before training is that of the section on invariance, if it is among the sections.
    """
    main = headline(run.settings, run.results["intervals"])
    references = [*_references(run, main), *(_before_training(sections) if main.name == "accuracy" else ())]
    return "; ".join([f"{main.name} {estimate(main.result)} on {_samples(run)}", *references])


def _samples(run: ReportedRun) -> str:
    count = samples(len(run.records), run.split)
    if run.settings.is_folds and run.split == "val":
        return f"{count}, predicted out of fold"
    return f"{count}, which chose the checkpoint" if run.split == "val" else count


def _references(run: ReportedRun, main: Headline) -> Iterator[str]:
    if main.name == "accuracy" and run.task.kind == "single_label":
        share = majority_share(run)
        yield f"majority class {number(share, 2 if share >= 0.1 else 3)}"
    if main.name == "rmse":
        yield f"always the mean {number(float(run.records.targets.std(axis=0).mean()))}"
    if main.result.get("note"):
        yield f"{main.result['note']}, so the interval is rough"


def _before_training(sections: Sequence[Section]) -> Iterator[str]:
    for facts in (section.facts for section in sections if "accuracy_before" in section.facts):
        yield f"before training {number(facts['accuracy_before'], 2)} on {facts['samples']:,} of them"


def majority_share(run: ReportedRun) -> float:
    """Return the share of the most frequent class of training among the evaluated samples."""
    most_frequent = int(np.argmax(run.facts["class_counts"]))
    return float((run.records.targets == most_frequent).mean())
