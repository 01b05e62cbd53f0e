"""`ftaug export`: write a trained model for use elsewhere, and prove that it still answers the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from ftaug.config.document import parse_value
from ftaug.config.registry import Component
from ftaug.config.schema import OfKind
from ftaug.engine.storage import storage_errors
from ftaug.errors import ExperimentError, NotReached, Place, Problem
from ftaug.runs import output
from ftaug.runs.export_folder import EXPORTS, ExportFolder, files_of, open_exports
from ftaug.runs.export_parity import Reference
from ftaug.runs.opened import open_run
from ftaug.runs.provenance import unfinished


def run(*, run: Path, formats: Sequence[str], as_json: bool, trust_plugins: bool) -> None:
    """Export and compare on the validation split; raises NotReached if an artefact answers otherwise than the model."""
    opened = open_run(run, trust_plugins=trust_plugins)
    exporters = targets(formats)
    reference = Reference.of(opened)
    if caution := unfinished(reference.bundle.provenance):
        output.say(f"{run}: {caution}")
    entries = {}
    with open_exports(run) as exports:
        for exporter in exporters:
            exports.check(exporter.name)
        for exporter in exporters:
            entries.update(export(exporter, reference, exports))
    if as_json:
        print(output.to_json(entries))
    else:
        output.show(*summary(entries))
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


def export(exporter: Component, reference: Reference, exports: ExportFolder) -> dict[str, dict[str, Any]]:
    """Write one artefact, compare it, and publish it if it passes; its entry by its path in `exports`."""
    opened, bundle = reference.opened, reference.bundle
    if bundle.networks > 1 and exporter.fact("one_network"):
        text = f"holds one network, and {opened.folder} has {bundle.networks}; export {opened.folder / 'fold-1'}"
        raise ExperimentError(f"exporter '{exporter.name}': {text}, or use onnx or torch_export")
    name = f"{bundle.name}{exporter.fact('suffix')}"
    with exports.unfinished(exporter.name) as folder:
        with storage_errors(f"{exports.path / exporter.name}: cannot be written"):
            loaded = exporter(bundle, folder / name)
        comparison = reference.compare(loaded)
        record = {
            "format": exporter.name,
            "settings": dict(exporter.settings),
            "checkpoint": opened.checkpoint.name,
            "complete": not unfinished(bundle.provenance),
            "bytes": sum(path.stat().st_size for path in files_of(folder)),
            **comparison.record(),
        }
        files = exports.publish(folder, exporter.name, record) if comparison.holds else []
    return {f"{exporter.name}/{name}": {**record, "files": [str(file) for file in files]}}


def summary(entries: Mapping[str, Mapping[str, Any]]) -> Iterator[Any]:
    """The tables for a person."""
    compared = ("artefact", "MB", "logits", "probabilities", "equal predictions")
    headings = (*compared, "metric", "original", "exported", "parity")
    rows = [
        (
            name,
            f"{entry['bytes'] / 1e6:.1f}",
            _small(entry["largest_difference"]),
            _small(entry["largest_probability_difference"]),
            f"{entry['equal_predictions']:.2%}",
            *((entry["metric"][key] for key in ("name", "original", "exported")) if entry["metric"] else [""] * 3),
            "yes" if entry["parity"] else "NO",
        )
        for name, entry in entries.items()
    ]
    yield from dict.fromkeys(line for entry in entries.values() for line in _compared_on(entry))
    yield output.table(headings, rows)
    yield from (f"wrote {path}" for entry in entries.values() for path in entry["files"])


def _compared_on(entry: Mapping[str, Any]) -> Iterator[str]:
    """What an artefact was compared on, and how that differs from what `evaluate` does."""
    synthetic = f"{entry['synthetic']['samples']} synthetic samples"
    if entry["without_data"] is not None:
        yield f"compared on {synthetic}: the run's data cannot be read ({entry['without_data']})"
        return
    yield f"compared on {entry['samples']:,} {entry['split']} samples and {synthetic}; largest differences:"
    metric = entry["metric"]
    if metric["views"] is not None:
        value = f"{metric['name']} {metric['with_views']:.4f} with them, {metric['original']:.4f} without"
        yield f"an export answers to one view of a picture, not to evaluate.views: {metric['views']} ({value})"


def _small(difference: float | None) -> str:
    return "" if difference is None else f"{difference:.1e}"
