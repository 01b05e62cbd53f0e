"""Print the differences between two runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from ftaug.config.wording import listed
from ftaug.engine.system.checkpoint_diff import FileDifference
from ftaug.runs.report import console
from ftaug.runs.run_diff import Pair, RunDiff

SHOWN = 10
"""Maximum number of differing settings, and of other values."""


def show(diff: RunDiff) -> None:
    """Print the human-readable comparison."""
    first, second = diff.runs
    console.show(f"{first} and {second}: {verdict(diff)}", console.key_values(_lines(diff)))


def verdict(diff: RunDiff) -> str:
    """Say whether two runs have the same bits, and where they part."""
    if diff.is_same:
        return f"the same bits: metrics, and all tensors of step {diff.checkpoint}"
    if diff.row is None:
        if diff.newest[0] != diff.newest[1]:
            return f"the same metrics, but the newest checkpoints are of steps {diff.newest[0]} and {diff.newest[1]}"
        return "the same metrics, but other tensors"
    if diff.row.field == "step":
        return f"the same metrics until step {diff.row.after}"
    return f"different bits from step {diff.row.step} on"


def _lines(diff: RunDiff) -> Iterator[tuple[str, str]]:
    if diff.row is not None and diff.row.field == "step" and None in diff.row.values:
        longer = "second" if diff.row.values[0] is None else "first"
        yield "metrics", f"only the {longer} has rows from step {diff.row.step} on"
    elif diff.row is not None:
        first, second = ("none" if value is None else value for value in diff.row.values)
        yield "metrics", f"step {diff.row.step}: {diff.row.field} {first} and {second}"
    yield from _pairs("settings", diff.settings)
    yield from _pairs("machine", diff.machine)
    yield from _pairs("data", {name: tuple(str(v)[:8] for v in pair) for name, pair in diff.data.items()})
    if diff.samples is not None:
        count = len(diff.samples.names)
        text = f"{count} with other {diff.samples.what}" if diff.samples.what != "order" else "other samples or order"
        yield "samples", f"step {diff.samples.step}: {text} ({listed(diff.samples.names, 3)})"
    elif diff.samples_note:
        yield "samples", diff.samples_note
    for file in diff.files:
        yield file.file, f"step {diff.checkpoint}: {_file(file)}"
    if diff.checkpoint is None:
        yield "tensors", "no step has a good checkpoint in both"


def _pairs(name: str, pairs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for number, (key, (first, second)) in enumerate(list(pairs.items())[:SHOWN]):
        yield name if number == 0 else "", f"{key}: {first} → {second}"
    if len(pairs) > SHOWN:
        yield "", f"and {len(pairs) - SHOWN} more"


def _file(file: FileDifference) -> str:
    largest = file.largest
    if largest is None:
        return f"all {file.tensors} tensors are the same"
    text = f"{len(file.differing)} of {file.tensors} tensors differ, the first is {file.differing[0].name}"
    if largest.largest is None or largest.relative is None:
        return f"{text}; {largest.name}: {largest.what}"
    return f"{text}; most {largest.name}, by {largest.largest:.3g} ({largest.relative:.2g} of its largest value)"


def as_json(diff: RunDiff) -> dict[str, Any]:
    """Return the comparison as JSON values."""

    def pairs(values: Mapping[str, Pair]) -> dict[str, list[Any]]:
        return {key: list(pair) for key, pair in values.items()}

    return {
        "runs": [str(run) for run in diff.runs],
        "same": diff.is_same,
        "verdict": verdict(diff),
        "settings": pairs(diff.settings),
        "machine": pairs(diff.machine),
        "data": pairs(diff.data),
        "metrics": diff.row and asdict(diff.row),
        "samples": diff.samples and asdict(diff.samples),
        "samples_note": diff.samples_note,
        "checkpoint": diff.checkpoint,
        "newest": list(diff.newest),
        "files": [
            {"file": file.file, "tensors": file.tensors, "differing": [asdict(each) for each in file.differing]}
            for file in diff.files
        ],
    }
