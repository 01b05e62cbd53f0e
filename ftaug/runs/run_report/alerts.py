"""What puts the results of a run in doubt, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ftaug.config.registry import registry
from ftaug.config.wording import listed
from ftaug.interfaces.document import Alert
from ftaug.runs.run_report.formats import number
from ftaug.runs.run_report.headline import chosen_by
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.runs.run_report.verdict import majority_share
from ftaug.statistics.calibration import fit_temperature
from ftaug.statistics.distributions import normal_quantile
from ftaug.statistics.intervals import wilson
from ftaug.statistics.probability_metrics import confidences

LISTED = 5
LEAST_GAP = 0.01
"""Mean confidence above accuracy that is worth an alert, if it is more than chance."""
LEAST_GAIN = 0.1
"""Share of the remaining error that the last evaluations must remove for training to be still improving."""
LAST = 0.2
"""Share of the evaluations that are the last ones."""


def alerts_of(run: ReportedRun) -> list[Alert]:
    """Check a run, and return what its reader has to know first."""
    return [alert for check in CHECKS for alert in check(run)]


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
        verb = "is" if len(ignored) == 1 else "are"
        yield Alert(
            "never_predicted",
            f"{_classes(ignored, verb)} never predicted",
            "Add training samples of it, or use data.sampler: balanced" if len(ignored) == 1 else "See Per class",
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
    before, latest = rows[:-last], rows[-last:]
    if not before or not all(name in row for row in rows):
        return
    gains = [_gain([row["loss"] for row in part] for part in (before, latest))]
    if name != "loss":
        gains.append(_gain([_error(name, row[name]) for row in part] for part in (before, latest)))
    if min(gains) >= LEAST_GAIN:
        yield Alert(
            "still_improving",
            f"Still improving at the end of training: validation {name} went from {number(before[-1][name])} to "
            f"{number(latest[-1][name])} in the last {last} of {len(rows)} evaluations",
            "Train longer: raise train.epochs",
        )


def _gain(parts: Iterable[Sequence[float]]) -> float:
    """Return by which share the lowest value of the second part is below that of the first; 0 if it is not."""
    before, latest = (min(part) for part in parts)
    return 1 - latest / before if before > 0 else 0.0


def _error(metric: str, value: float) -> float:
    """Return what a metric lacks to be perfect; 0 if it is not known which direction is better."""
    metrics = registry("metric", "any")
    if metric not in metrics:  # of a plugin that is not imported
        return 0.0
    return 1 - value if metrics[metric].facts["higher_is_better"] else value


CHECKS: Sequence[Callable[[ReportedRun], Iterator[Alert]]] = (
    changed_data,
    no_better_than_chance,
    missing_classes,
    overconfident,
    still_improving,
)


def _classes(names: Sequence[str], verb: str = "") -> str:
    """Begin a sentence with classes: `Class cat has`, `3 classes (cat, dog, emu) have`."""
    if len(names) == 1:
        return f"Class {names[0]} {verb or 'has'}"
    return f"{len(names)} classes ({listed(names, LISTED)}) {verb or 'have'}"


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
