"""The results of a model card: those of `ftaug evaluate` with their intervals, else the last validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftaug.engine.system.run_files import COMPLETE_FILE, FOLDS_FILE, OUT_OF_FOLD, read_json
from ftaug.runs.export.markdown import table
from ftaug.runs.trained_model import TrainedModel

SHOWN = (
    *("accuracy", "balanced_accuracy", "top_5", "f1_macro", "auroc_macro", "average_precision_macro"),
    *("nll", "ece_debiased", "mae", "rmse", "r2", "spearman"),
)
"""Metrics of a card, as far as they were computed."""

TYPES = {"f1_macro": "f1", "auroc_macro": "roc_auc", "average_precision_macro": "average_precision"}
"""Names of metrics on the hub."""


SPLITS = {"test": "test", "val": "validation", OUT_OF_FOLD: "out-of-fold"}
"""Splits by their names in files, as the hub calls them."""


@dataclass(frozen=True)
class CardResults:
    """The metrics of a model on a split: value, and low and high where there is an interval."""

    split: str
    samples: int | None
    estimates: Mapping[str, Mapping[str, Any]]
    classes: Sequence[Mapping[str, Any]]
    command: str  # that computes intervals; empty if there are some

    @property
    def names(self) -> list[str]:
        """The names of the metrics on the hub."""
        return [TYPES.get(name, name) for name in self.estimates]

    def model_index(self, name: str, task: str) -> list[dict[str, Any]]:
        """Return the results in the form of the hub's `model-index`."""
        metrics = [
            {
                "type": TYPES.get(metric, metric),
                "value": round(float(each["value"]), 6),
                "name": _full_name(metric, each),
            }
            for metric, each in self.estimates.items()
        ]
        split = SPLITS[self.split]
        data = {"name": f"{name}, {split} samples", "type": name, "split": split}
        return [{"name": name, "results": [{"task": {"type": task}, "dataset": data, "metrics": metrics}]}]

    def markdown(self, most_classes: int) -> Iterator[str]:
        """Yield the tables of the metrics and, of few classes, of each class."""
        if not self.estimates:
            yield f"Not evaluated; `{self.command}` computes metrics with intervals, which the next export shows."
            return
        samples = "" if self.samples is None else f"{self.samples:,} "
        yield f"On {samples}{SPLITS[self.split]} samples:"
        rows = [
            (metric, f"{each['value']:.4f}", _interval(each), each.get("note", ""))
            for metric, each in self.estimates.items()
        ]
        yield table(("metric", "value", "95 % interval", "note"), rows)
        if self.command:
            yield f"`{self.command}` computes intervals, which the next export shows."
        if self.split == "val":
            yield "The checkpoint was chosen on these samples: expect somewhat worse results on others."
        if self.classes and len(self.classes) <= most_classes:
            columns = ("precision", "recall", "f1")
            rows_of_classes = [
                (row["class"], f"{row['samples']:,}", *(f"{row[column]:.4f}" for column in columns))
                for row in self.classes
            ]
            yield table(("class", "samples", *columns), rows_of_classes)


def read_results(opened: TrainedModel) -> CardResults:
    """Read the results of the exported checkpoint: of test, else of validation samples."""
    for name in ("test", "val", OUT_OF_FOLD):
        report = read_json(opened.folder / "report" / f"evaluate-{name}.json") or {}
        if report.get("checkpoint") == opened.checkpoint.name:
            intervals = report.get("intervals", {})
            estimates = {metric: {"value": value} for metric, value in report["metrics"].items()} | intervals
            chosen = {metric: estimates[metric] for metric in SHOWN if _is_number(estimates.get(metric))}
            return CardResults(name, report["samples"], chosen, report.get("classes", []), "")
    folds = read_json(opened.folder / FOLDS_FILE)
    done = folds or read_json(opened.folder / COMPLETE_FILE) or {}
    values = {name: {"value": value} for name, value in done.get("metrics", {}).items() if value is not None}
    split = "val" if folds is None else OUT_OF_FOLD
    return CardResults(split, None, values, [], f"ftaug evaluate {opened.folder.name}")


def _is_number(estimate: Mapping[str, Any] | None) -> bool:
    return estimate is not None and estimate["value"] is not None


def _interval(estimate: Mapping[str, Any]) -> str:
    return f"{estimate['low']:.4f} to {estimate['high']:.4f}" if "low" in estimate else ""


def _full_name(name: str, estimate: Mapping[str, Any]) -> str:
    interval = _interval(estimate)
    return f"{name} (95 % interval {interval})" if interval else name
