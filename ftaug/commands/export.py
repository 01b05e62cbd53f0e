"""`ftaug export`: write a trained model for use elsewhere, and prove that it still answers the same."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ftaug.config.document import parse_value
from ftaug.config.registry import Component
from ftaug.config.schema import OfKind
from ftaug.engine.batches import batches, once
from ftaug.engine.measure import at_least_float32, probabilities
from ftaug.engine.portion import Portion
from ftaug.engine.run_folder import read_json
from ftaug.engine.setup import prepared
from ftaug.engine.storage import make_inside, replace, storage_errors, sync_folder
from ftaug.errors import ExperimentError, NotReached, Place, Problem
from ftaug.interfaces import Bundle, Task
from ftaug.runs import output
from ftaug.runs.opened import OpenRun, open_run

if TYPE_CHECKING:
    from torch import Tensor

TOLERANCE = 1e-3


@dataclass(frozen=True)
class Parity:
    """How an artefact's answers compare with the model's."""

    largest_difference: float  # of two logits, or numbers
    equal_predictions: float  # share of the samples
    metric: str
    original: float
    exported: float

    @property
    def holds(self) -> bool:
        """Whether the artefact may stand in for the model."""
        same = abs(self.original - self.exported) <= TOLERANCE * max(1.0, abs(self.original))
        return same and math.isfinite(self.largest_difference) and self.equal_predictions >= 1 - TOLERANCE


def run(*, run: Path, formats: Sequence[str], as_json: bool, trust_plugins: bool) -> None:
    """Export and compare on the validation split; raises NotReached if an artefact answers otherwise than the model."""
    opened = open_run(run, trust_plugins=trust_plugins)
    opened.note_precision()
    exporters = [component(text) for text in dict.fromkeys(formats)]
    portion = opened.portion(next(name for name in ("val", "test", "train") if name in opened.portions))
    bundle = opened.bundle(opened.prepare([portion.samples.read(int(portion.ids[0]))]))
    folder = run / "exports"
    with storage_errors(f"{folder}: cannot be written"):
        make_inside(folder)
        entries = {}
        for one in exporters:
            entries.update(export(one, opened, bundle, portion, folder))
        record = {**(read_json(folder / "parity.json") or {}), **entries}
        replace(folder / "parity.json", (output.to_json(record) + "\n").encode())
    if as_json:
        print(output.to_json(entries))
    else:
        output.show(*summary(entries, portion))
    failed = [f"{name}: does not answer as the model does; not kept" for name, e in entries.items() if not e["parity"]]
    if failed:
        raise NotReached(*failed)


def component(text: str) -> Component:
    """Read `onnx`, or a format with settings such as `{onnx: {opset: 20}}`."""
    try:
        adapter: TypeAdapter[Component] = TypeAdapter(Annotated[Component, OfKind("exporter")])
        return adapter.validate_python(parse_value(text, f"--format {text}"), context={})
    except ValidationError as error:
        place = Place(f"--format {text}")
        faults = ((line["input"], line["loc"]) for line in error.errors())
        raise ExperimentError(*(Problem(fault.sentence(where), place) for fault, where in faults)) from None


def export(
    exporter: Component, opened: OpenRun, bundle: Bundle, portion: Portion, folder: Path
) -> dict[str, dict[str, Any]]:
    """Write one artefact, compare it, and give it its name if it passes; its entry by file name."""
    if bundle.networks > 1 and exporter.fact("one_network"):
        text = f"holds one network, and {opened.folder} has {bundle.networks}; export {opened.folder / 'fold-1'}"
        raise ExperimentError(f"exporter '{exporter.name}': {text}, or use onnx or torch_export")
    name = f"{bundle.name}{exporter.fact('suffix')}"
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder) as temporary:
        loaded = exporter(bundle, Path(temporary, name))
        original, exported = answers((bundle.model, loaded), opened, portion)
        parity = compare(original, exported, opened, portion)
        entry = {
            "format": exporter.name,
            "settings": dict(exporter.settings),
            "checkpoint": opened.checkpoint.name,
            "bytes": sum(path.stat().st_size for path in files_of(Path(temporary, name))),
            "split": portion.purpose,
            "samples": len(portion),
            "largest_difference": parity.largest_difference,
            "equal_predictions": parity.equal_predictions,
            "metric": {"name": parity.metric, "original": parity.original, "exported": parity.exported},
            "parity": parity.holds,
            "files": [str(folder / path.name) for path in sorted(Path(temporary).iterdir())] if parity.holds else [],
        }
        if parity.holds:
            publish(Path(temporary), folder)
    return {name: entry}


def publish(temporary: Path, folder: Path) -> None:
    """Give finished files and folders their names once they are on the disk; of files, each in one step."""
    for path in sorted(temporary.iterdir()):
        for one in files_of(path):
            with one.open("rb") as file:
                os.fsync(file.fileno())
        if path.is_dir():
            sync_folder(path)
            if (folder / path.name).is_dir():  # a folder takes no other's place
                (folder / path.name).rename(temporary / f".old-{path.name}")
        path.replace(folder / path.name)
    sync_folder(folder)


def files_of(path: Path) -> list[Path]:
    """The files of an artefact, which may be a folder."""
    return sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def answers(models: Sequence[Callable[[Tensor], Tensor]], opened: OpenRun, portion: Portion) -> tuple[np.ndarray, ...]:
    """Each model's logits on a portion, on the CPU, from one pass over the samples."""
    import torch

    data = prepared(opened.experiment, portion, (), opened.preprocessing)
    found: list[list[np.ndarray]] = [[] for _ in models]
    with torch.inference_mode():
        for batch in batches(data, once(len(portion), opened.batch_size), opened.workers, pin=False):
            for model, logits in zip(models, found, strict=True):
                logits.append(at_least_float32(model(batch.inputs)).numpy())
    return tuple(np.concatenate(logits) for logits in found)


def compare(original: np.ndarray, exported: np.ndarray, opened: OpenRun, portion: Portion) -> Parity:
    """Hold an artefact's logits against the model's."""
    best = opened.experiment.evaluate.best
    same = alike(original, exported, opened)
    return Parity(
        largest_difference=float(np.abs(original - exported).max()),
        equal_predictions=float(same.reshape(len(same), -1).all(axis=1).mean()),
        metric=best,
        original=opened.judge(original, portion).values[best],
        exported=opened.judge(exported, portion).values[best],
    )


def alike(original: np.ndarray, exported: np.ndarray, opened: OpenRun) -> np.ndarray:
    """Whether two answers come to the same: numbers, up to a small part of how far the training targets spread."""
    if opened.scale is not None:
        return np.asarray(np.abs(original - exported) <= TOLERANCE * np.array(opened.scale.std))
    one, other = (chosen(logits, opened.activation, opened.task) for logits in (original, exported))
    return np.asarray(one == other)


def chosen(logits: np.ndarray, activation: str, task: Task) -> np.ndarray:
    """What is predicted: a class per sample, or whether each class is there."""
    return task.present(probabilities(logits, activation)) if task.multi_label else logits.argmax(axis=1)


def summary(entries: Mapping[str, Mapping[str, Any]], portion: Portion) -> Iterator[Any]:
    """The tables for a person."""
    headings = ("artefact", "MB", "largest difference", "equal predictions", "metric", "original", "exported", "parity")
    rows = (
        (
            name,
            f"{entry['bytes'] / 1e6:.1f}",
            f"{entry['largest_difference']:.1e}",
            f"{entry['equal_predictions']:.2%}",
            *entry["metric"].values(),
            "yes" if entry["parity"] else "NO",
        )
        for name, entry in entries.items()
    )
    yield f"compared on {len(portion):,} {portion.purpose} samples"
    yield output.table(headings, rows)
    yield from (f"wrote {path}" for entry in entries.values() for path in entry["files"])
