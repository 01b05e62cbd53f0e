"""`ftaug export`: write a trained model for use elsewhere, and prove that it still answers the same."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from ftaug.components import timing
from ftaug.config.document import parse_value
from ftaug.config.registry import Component
from ftaug.config.schema import OfKind
from ftaug.engine.run_folder import read_json
from ftaug.engine.storage import make_inside, replace, storage_errors, sync_folder
from ftaug.errors import ExperimentError, NotReached, Place, Problem
from ftaug.runs import output
from ftaug.runs.export_parity import Allowance, Reference
from ftaug.runs.export_table import refusals, summary
from ftaug.runs.opened import open_run


def run(*, run: Path, formats: Sequence[str], as_json: bool, trust_plugins: bool) -> None:
    """Export and compare on the validation split; raises NotReached if an artefact answers otherwise than the model."""
    opened = open_run(run, trust_plugins=trust_plugins)
    exporters = [component(text) for text in dict.fromkeys(formats)]
    reference = Reference.of(opened)
    folder = run / "exports"
    with storage_errors(f"{folder}: cannot be written"):
        make_inside(folder)
        entries: dict[str, Any] = {}
        too_slow: list[str] = []
        for one in exporters:
            try:
                entries.update(export(one, reference, folder))
            except NotReached as error:
                too_slow.append(str(error))
        record = {**(read_json(folder / "parity.json") or {}), **entries}
        replace(folder / "parity.json", (output.to_json(record) + "\n").encode())
    if as_json:
        print(output.to_json(entries))
    else:
        output.show(*(summary(entries) if entries else ()))
    if failed := [*refusals(entries), *too_slow]:
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
        comparison = reference.compare(loaded, allowance(exporter))
        entry = {
            "format": exporter.name,
            "settings": dict(exporter.settings),
            "checkpoint": opened.checkpoint.name,
            "bytes": sum(path.stat().st_size for path in files_of(Path(temporary, name))),
            "milliseconds": timing.milliseconds(Path(temporary, name), bundle),
            **comparison.record(),
            "files": [str(folder / path.name) for path in sorted(Path(temporary).iterdir())]
            if comparison.holds
            else [],
        }
        if comparison.holds:
            publish(Path(temporary), folder)
    return {name: entry}


def allowance(exporter: Component) -> Allowance:
    """How far an artefact may be from the model."""
    loss = exporter.settings["tolerance"] if exporter.fact("lossy") else None
    return Allowance(rounding=exporter.fact("rounding"), metric_loss=loss)


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
