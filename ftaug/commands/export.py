"""`ftaug export`: export a trained model (ONNX, torch.export, …) and verify its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from ftaug.components.exporters import timing
from ftaug.config.registry import Component
from ftaug.config.schema import OfKind
from ftaug.config.yaml_document import parse_value
from ftaug.engine.system.storage import storage_errors
from ftaug.errors import ExperimentError, NotReached, Place, Problem
from ftaug.runs.export.folder import EXPORTS, ExportFolder, files_of, open_exports
from ftaug.runs.export.parity import Allowance
from ftaug.runs.export.provenance import unfinished
from ftaug.runs.export.reference import Reference
from ftaug.runs.export.table import refusals, summary
from ftaug.runs.open_run import load_run_experiment, open_run
from ftaug.runs.report import console


def run(*, run: Path, formats: Sequence[str], as_json: bool, trust_plugins: bool) -> None:
    """Export and compare on validation; raises NotReached if an export's predictions differ from the model's."""
    load_run_experiment(run, trust_plugins=trust_plugins)  # registers the exporters of its plugins
    exporters = targets(formats)
    opened = open_run(run, trust_plugins=trust_plugins)
    opened.note_precision()
    reference = Reference.of(opened)
    check_networks(exporters, reference)
    if caution := unfinished(reference.bundle.provenance):
        console.say(f"{run}: {caution}")
    entries: dict[str, Any] = {}
    too_slow: list[str] = []
    with open_exports(run) as exports:
        for exporter in exporters:
            exports.check(exporter.name)
        for exporter in exporters:
            try:
                entries.update(export(exporter, reference, exports))
            except NotReached as error:
                too_slow.append(str(error))
    if as_json:
        print(console.to_json(entries))
    else:
        console.show(*(summary(entries) if entries else ()))
    if failed := [*refusals(entries), *too_slow]:
        raise NotReached(*failed)


def component(text: str) -> Component:
    """Parse a format: `onnx`, or with settings `{onnx: {opset: 20}}`; raises ExperimentError."""
    try:
        adapter: TypeAdapter[Component] = TypeAdapter(Annotated[Component, OfKind("exporter")])
        return adapter.validate_python(parse_value(text, f"--format {text}"), context={})
    except ValidationError as error:
        place = Place(f"--format {text}")
        faults = ((line["input"], line["loc"]) for line in error.errors())
        raise ExperimentError(*(Problem(fault.sentence(where), place) for fault, where in faults)) from None


def targets(formats: Sequence[str]) -> list[Component]:
    """Parse all `--format` values; raises ExperimentError if two would be written to the same folder."""
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


def check_networks(exporters: Sequence[Component], reference: Reference) -> None:
    """Raise ExperimentError for a format of one network if the run has several."""
    folder, count = reference.opened.folder, reference.bundle.networks
    for exporter in exporters:
        if count > 1 and exporter.fact("one_network"):
            text = f"holds one network, and {folder} has {count}; export {folder / 'fold-1'}"
            raise ExperimentError(f"exporter '{exporter.name}': {text}, or use onnx or torch_export")


def export(exporter: Component, reference: Reference, exports: ExportFolder) -> dict[str, dict[str, Any]]:
    """Write one format, check parity, publish it if it passes; return its record by its path in `exports`."""
    opened, bundle = reference.opened, reference.bundle
    name = f"{bundle.name}{exporter.fact('suffix')}"
    with exports.unfinished(exporter.name) as folder:
        with storage_errors(f"{exports.path / exporter.name}: cannot be written"):
            loaded = exporter(bundle, folder / name)
        comparison = reference.compare(loaded, allowance(exporter))
        record = {
            "format": exporter.name,
            "settings": dict(exporter.settings),
            "checkpoint": opened.checkpoint.name,
            "complete": not unfinished(bundle.provenance),
            "bytes": sum(path.stat().st_size for path in files_of(folder)),
            "milliseconds": timing.milliseconds(folder / name, bundle),
            **comparison.record(),
        }
        files = exports.publish(folder, exporter.name, record) if comparison.holds else []
    printed = {"without_data": comparison.without_data, "files": [str(file) for file in files]}
    return {f"{exporter.name}/{name}": {**record, **printed}}


def allowance(exporter: Component) -> Allowance:
    """Return the tolerance of an exporter."""
    loss = exporter.settings["tolerance"] if exporter.fact("lossy") else None
    return Allowance(rounding=exporter.fact("rounding"), metric_loss=loss)
