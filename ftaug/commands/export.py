"""`ftaug export`: write a trained model for use elsewhere, and prove that it still answers the same."""

from __future__ import annotations

import math
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
from ftaug.engine.setup import prepared
from ftaug.engine.storage import storage_errors
from ftaug.errors import ExperimentError, NotReached, Place, Problem
from ftaug.interfaces import Bundle, Task
from ftaug.runs import output
from ftaug.runs.export_folder import EXPORTS, ExportFolder, files_of, open_exports
from ftaug.runs.opened import OpenRun, open_run
from ftaug.runs.provenance import unfinished

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
    exporters = targets(formats)
    portion = opened.portion(next(name for name in ("val", "test", "train") if name in opened.portions))
    bundle = opened.bundle(opened.prepare([portion.samples.read(int(portion.ids[0]))]))
    if caution := unfinished(bundle.provenance):
        output.say(f"{run}: {caution}")
    entries = {}
    with open_exports(run) as exports:
        for exporter in exporters:
            exports.check(exporter.name)
        for exporter in exporters:
            entries.update(export(exporter, opened, bundle, portion, exports))
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


def targets(formats: Sequence[str]) -> list[Component]:
    """Read what `--format` asks for; raises ExperimentError where two of them would be written to the same folder."""
    taken: dict[str, str] = {}
    components = []
    for text in dict.fromkeys(formats):
        exporter = component(text)
        other = taken.setdefault(exporter.name.casefold(), text)
        if other != text:
            message = f"is written to {EXPORTS}/{exporter.name}, as --format {other} is; export one of the two"
            raise ExperimentError(Problem(message, Place(f"--format {text}")))
        components.append(exporter)
    return components


def export(
    exporter: Component, opened: OpenRun, bundle: Bundle, portion: Portion, exports: ExportFolder
) -> dict[str, dict[str, Any]]:
    """Write one artefact, compare it, and publish it if it passes; its entry by its path in `exports`."""
    if bundle.networks > 1 and exporter.fact("one_network"):
        text = f"holds one network, and {opened.folder} has {bundle.networks}; export {opened.folder / 'fold-1'}"
        raise ExperimentError(f"exporter '{exporter.name}': {text}, or use onnx or torch_export")
    name = f"{bundle.name}{exporter.fact('suffix')}"
    with exports.unfinished(exporter.name) as folder:
        with storage_errors(f"{exports.path / exporter.name}: cannot be written"):
            loaded = exporter(bundle, folder / name)
        original, exported = answers((bundle.model, loaded), opened, portion)
        parity = compare(original, exported, opened, portion)
        record = {
            "format": exporter.name,
            "settings": dict(exporter.settings),
            "checkpoint": opened.checkpoint.name,
            "complete": not unfinished(bundle.provenance),
            "bytes": sum(path.stat().st_size for path in files_of(folder)),
            "split": portion.purpose,
            "samples": len(portion),
            "largest_difference": parity.largest_difference,
            "equal_predictions": parity.equal_predictions,
            "metric": {"name": parity.metric, "original": parity.original, "exported": parity.exported},
            "parity": parity.holds,
        }
        files = exports.publish(folder, exporter.name, record) if parity.holds else []
    return {f"{exporter.name}/{name}": {**record, "files": [str(file) for file in files]}}


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
