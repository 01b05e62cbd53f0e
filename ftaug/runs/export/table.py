"""Report of `ftaug export`: size, speed and parity of each format, and why one was rejected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ftaug.runs.report import console

Entry = Mapping[str, Any]
"""The parity.json of an export."""


def summary(entries: Mapping[str, Entry]) -> Iterator[Any]:
    """Yield the human-readable lines and the table."""
    yield from dict.fromkeys(line for entry in entries.values() for line in _compared_on(entry))
    yield _table(entries)
    yield "ms: batches of 1 and 16 samples, on one thread of this CPU"
    yield from (f"wrote {path}" for entry in entries.values() for path in entry["files"])


def refusals(entries: Mapping[str, Entry]) -> list[str]:
    """Return the reasons for rejected exports."""
    return [f"{name}: {_refusal(entry)}; not kept" for name, entry in entries.items() if not entry["parity"]]


def _table(entries: Mapping[str, Entry]) -> Any:
    headings = ("format", "MB", "ms 1", "ms 16", "metric", "max diff", "equal", "parity")
    rows = [
        (
            entry["format"],
            f"{entry['bytes'] / 1e6:.1f}",
            *(_milliseconds(time) for time in entry["milliseconds"].values()),
            "" if entry["metric"] is None else f"{entry['metric']['exported']:.4f}",
            f"{_difference(entry):.1e}",
            f"{entry['equal_predictions']:.1%}",
            "yes" if entry["parity"] else "NO",
        )
        for entry in entries.values()
    ]
    return console.table(headings, rows)


def _milliseconds(time: float) -> str:
    return f"{time:.2f}" if time < 10 else f"{time:.1f}" if time < 100 else f"{time:,.0f}"


def _difference(entry: Entry) -> float:
    """Return the largest difference of a probability, in regression in standard deviations of the targets."""
    of_probabilities = entry["largest_probability_difference"]
    return float(entry["largest_difference"] if of_probabilities is None else of_probabilities)


def _compared_on(entry: Entry) -> Iterator[str]:
    """Describe the samples of the comparison, and how it differs from `evaluate`."""
    synthetic = f"{entry['synthetic']['samples']} synthetic samples"
    metric = entry["metric"]
    if metric is None:
        yield f"compared on {synthetic}: the run's data cannot be read ({entry['without_data']})"
        return
    yield f"compared on {entry['samples']:,} {entry['split']} samples and {synthetic}"
    yield f"{metric['name']} of the model: {metric['original']:.4f}"
    if metric["views"] is not None:
        value = f"{metric['name']} {metric['with_views']:.4f} with them"
        yield f"an export predicts from a single view, without evaluate.tta: {metric['views']} ({value})"


def _refusal(entry: Entry) -> str:
    metric = entry["metric"]
    if metric is None or metric["loss"] is None:
        largest = max(_difference(entry), _difference(entry["synthetic"]))
        return f"its predictions differ from the model's: probabilities or numbers by up to {largest:.1e}"
    loss = metric["loss"]
    figures = f"{metric['name']} {metric['original']:.4f} becomes {metric['exported']:.4f}"
    cost = f"{loss['value']:.4f} ± {loss['standard_error']:.4f} worse, and tolerance is {loss['tolerance']:g}"
    return f"{figures}, {cost}; try another calibration, exclude, or a higher tolerance"
