"""What puts the results of a run in doubt, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ftaug.config.registry import registry
from ftaug.config.wording import listed
from ftaug.interfaces.document import Alert, Section
from ftaug.runs.run_report.formats import number, samples
from ftaug.runs.run_report.headline import chosen_by
from ftaug.runs.run_report.invariance import augmentation_alerts
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.runs.run_report.verdict import majority_share
from ftaug.statistics.calibration import fit_temperature
from ftaug.statistics.distributions import normal_quantile
from ftaug.statistics.intervals import wilson
from ftaug.statistics.probability_metrics import confidences

LISTED = 3
LEAST_GAP = 0.01
"""Mean confidence above accuracy that is worth an alert, if it is more than chance."""
LEAST_GAIN = 0.1
"""Share by which the last evaluations must be better than all before for training to be still improving."""
LAST = 0.2
"""Share of the evaluations that are the last ones."""


def alerts_of(run: ReportedRun, sections: Sequence[Section]) -> list[Alert]:
    """Check a run and the facts of its sections, and return what a reader has to know first."""
    facts = {section.key: section.facts for section in sections}
    of_sections = (check(facts[key]) for key, check in SECTION_CHECKS.items() if key in facts)
    return [alert for alerts in (*(check(run) for check in CHECKS), *of_sections) for alert in alerts]


def changed_data(run: ReportedRun) -> Iterator[Alert]:
    """Alert to data that are not those of training, as the evaluation says."""
    for caution in run.results.get("cautions", ()):
        yield Alert("changed_data", str(caution), "The results are of the data as they are now")


def no_better_than_chance(run: ReportedRun) -> Iterator[Alert]:
    """Alert to a model that may be no better than the most frequent class."""
    if run.task.kind != "single_label":
        return
    right, share = float(run.records.correct.mean()), majority_share(run)
    if wilson(right, len(run.records))[0] <= share:
        yield Alert(
            "no_better_than_chance",
            f"The accuracy of {number(right)} is not shown to be better than always predicting the most frequent "
            f"class, {number(share)}",
            "Train longer, raise lr.peak, or check the labels: ftaug doctor",
        )


def missing_classes(run: ReportedRun) -> Iterator[Alert]:
    """Alert to classes without samples in the split, or that are never predicted."""
    rows: Sequence[Mapping[str, Any]] = run.results.get("classes", ())
    absent = [row["class"] for row in rows if not row["samples"]]
    if absent:
        yield Alert(
            "class_without_samples",
            f"{_classes(absent)} no {run.split} samples, so nothing is known about {_them(absent)}",
            "Add samples, or split the data so that every class has some",
        )
    ignored = [row["class"] for row in rows if row["samples"] and not row["predicted"]]
    if ignored:
        yield Alert(
            "never_predicted",
            f"{_classes(ignored, 'is' if len(ignored) == 1 else 'are')} never predicted",
            "Train longer, add training samples, or draw classes equally often with data.sampler: balanced",
        )


def overconfident(run: ReportedRun) -> Iterator[Alert]:
    """Alert to a confidence that is above the accuracy by more than chance."""
    if run.task.regression:
        return
    confidence, right = confidences(run.records)
    gaps = confidence - right
    gap, error = float(gaps.mean()), float(gaps.std()) / math.sqrt(len(gaps))
    if gap - normal_quantile(0.975) * error <= LEAST_GAP:
        return
    temperature = fit_temperature(_logits(run), run.records.targets, run.task).temperature
    advice = f"Calibrate it: ftaug calibrate {run.folder}"
    yield Alert(
        "overconfident",
        f"Overconfident: the mean confidence is {number(float(confidence.mean()))} and the accuracy "
        f"{number(float(right.mean()))}; on these samples a temperature of {temperature:.2f} fits best",
        "It is calibrated already, so these samples differ from validation" if "calibration" in run.results else advice,
    )


def _logits(run: ReportedRun) -> np.ndarray:
    """Return logits of the probabilities, up to a constant for each sample."""
    p = run.records.predictions.astype(np.float64).clip(1e-12, 1 - 1e-12)
    return np.asarray(np.log(p) - np.log1p(-p) if run.task.multi_label else np.log(p))


def still_improving(run: ReportedRun) -> Iterator[Alert]:
    """Alert to a run whose last evaluations were clearly better than all before, by loss and by `evaluate.best`."""
    rows = [row["val"] for row in run.rows if "val" in row]
    last, name = max(1, round(LAST * len(rows))), chosen_by(run.settings)
    if len(rows) <= last or not all(name in row for row in rows):
        return
    before, latest = rows[:-last], rows[-last:]
    falls = min(row["loss"] for row in latest) < min(row["loss"] for row in before)
    best, final = (_best(name, [row[name] for row in part]) for part in (before, latest))
    if falls and _gain(name, best, final) >= LEAST_GAIN:
        yield Alert(
            "still_improving",
            f"Still improving at the end of training: validation {name} went from {number(best)} to {number(final)} "
            f"in the last {f'{last} of ' if last > 1 else 'of '}{len(rows)} evaluations",
            "Train longer: raise train.epochs",
        )


def _best(metric: str, values: Sequence[float]) -> float:
    return max(values) if _higher_is_better(metric) else min(values)


def _gain(metric: str, before: float, latest: float) -> float:
    """Return the share by which a metric got better, of its value or of what it lacked to 1, whichever is larger."""
    if not _higher_is_better(metric):
        return 1 - latest / before if before > 0 else 0.0
    gain = latest - before
    return max(gain / part for part in (abs(before), 1 - before) if part > 0)


def _higher_is_better(metric: str) -> bool:
    """Whether higher is better; what is not registered, such as the metric of a plugin, is taken for such."""
    metrics = registry("metric", "any")
    return metric != "loss" and (metric not in metrics or bool(metrics[metric].facts["higher_is_better"]))


def leakage(facts: Mapping[str, Any]) -> Iterator[Alert]:
    """Alert to duplicates across splits, and to what breaks training."""
    for finding in facts["findings"]:
        is_copy = finding["check"].endswith("_duplicates") and finding["level"] == "caution"
        if is_copy or finding["level"] == "problem":
            yield Alert(
                finding["check"],
                f"{finding['text']} ({samples(finding['samples'])}, such as {finding['examples'][0]})",
                finding["remedy"] or "List and separate them: ftaug doctor",
            )


CHECKS: Sequence[Callable[[ReportedRun], Iterator[Alert]]] = (
    changed_data,
    no_better_than_chance,
    missing_classes,
    overconfident,
    still_improving,
)

SECTION_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], Iterator[Alert]]] = {
    "data_check": leakage,
    "invariance": augmentation_alerts,
}
"""Checks of the facts of sections, by their key."""


def _classes(names: Sequence[str], verb: str = "") -> str:
    """Begin a sentence with classes: `Class cat has`, `3 classes (cat, dog, emu) have`."""
    if len(names) == 1:
        return f"Class {names[0]} {verb or 'has'}"
    return f"{len(names)} classes ({listed(names, LISTED)}) {verb or 'have'}"


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
