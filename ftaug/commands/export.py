"""`ftaug export`: write a trained model for use elsewhere, and prove that it still answers the same."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from ftaug.config.document import parse_value
from ftaug.config.registry import Component
from ftaug.config.schema import OfKind
from ftaug.engine.run_folder import read_json
from ftaug.engine.storage import make_inside, replace, storage_errors, sync_folder
from ftaug.errors import ExperimentError, NotReached, Place, Problem
from ftaug.runs import output
from ftaug.runs.export_parity import Reference
from ftaug.runs.opened import open_run


def run(*, run: Path, formats: Sequence[str], as_json: bool, trust_plugins: bool) -> None:
    """Export and compare on the validation split; raises NotReached if an artefact answers otherwise than the model."""
    opened = open_run(run, trust_plugins=trust_plugins)
    exporters = [component(text) for text in dict.fromkeys(formats)]
    reference = Reference.of(opened)
    folder = run / "exports"
    with storage_errors(f"{folder}: cannot be written"):
        make_inside(folder)
        entries = {}
        for one in exporters:
            entries.update(export(one, reference, folder))
        record = {**(read_json(folder / "parity.json") or {}), **entries}
        replace(folder / "parity.json", (output.to_json(record) + "\n").encode())
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


def export(exporter: Component, reference: Reference, folder: Path) -> dict[str, dict[str, Any]]:
    """Write one artefact, compare it, and give it its name if it passes; its entry by file name."""
    opened, bundle = reference.opened, reference.bundle
    if bundle.networks > 1 and exporter.fact("one_network"):
        text = f"holds one network, and {opened.folder} has {bundle.networks}; export {opened.folder / 'fold-1'}"
        raise ExperimentError(f"exporter '{exporter.name}': {text}, or use onnx or torch_export")
    name = f"{bundle.name}{exporter.fact('suffix')}"
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=folder) as temporary:
        loaded = exporter(bundle, Path(temporary, name))
        comparison = reference.compare(loaded)
        entry = {
            "format": exporter.name,
            "settings": dict(exporter.settings),
            "checkpoint": opened.checkpoint.name,
            "bytes": sum(path.stat().st_size for path in files_of(Path(temporary, name))),
            **comparison.record(),
            "files": [str(folder / path.name) for path in sorted(Path(temporary).iterdir())]
            if comparison.holds
            else [],
        }
        if comparison.holds:
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
