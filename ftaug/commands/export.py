"""`ftaug export`: export a trained model (ONNX, torch.export, …) and verify its predictions."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftaug.commands.options import AsJson, Run, TrustPlugins
from ftaug.errors import NotReached

if TYPE_CHECKING:
    from ftaug.config.registry import Component
    from ftaug.runs.export.folder import ExportFolder
    from ftaug.runs.export.parity import Allowance
    from ftaug.runs.export.reference import Reference


class RequiredLicense(StrEnum):
    """A kind of license that the pretrained weights must have."""

    permissive = "permissive"


def export(
    run: Run,
    formats: Annotated[
        list[str],
        typer.Option("--format", help="Format such as onnx (see `ftaug list exporter`); repeatable.", metavar="NAME"),
    ],
    require_license: Annotated[
        RequiredLicense | None,
        typer.Option(help="End with exit code 5 unless the license of the pretrained weights is permissive."),
    ] = None,
    as_json: AsJson = False,
    trust_plugins: TrustPlugins = False,
) -> None:
    """Export a trained model, and compare its predictions with the original's."""
    from ftaug.runs.export.folder import open_exports
    from ftaug.runs.export.formats import check_networks, parse_formats
    from ftaug.runs.export.license import require_permissive
    from ftaug.runs.export.provenance import unfinished
    from ftaug.runs.export.reference import Reference
    from ftaug.runs.export.table import refusals, summary
    from ftaug.runs.open_run import load_run_experiment, open_calibrated_run
    from ftaug.runs.report import console

    load_run_experiment(run, trust_plugins=trust_plugins)  # registers the exporters of its plugins
    exporters = parse_formats(formats)
    opened = open_calibrated_run(run, trust_plugins=trust_plugins)
    opened.note_precision()
    reference = Reference.of(opened)
    check_networks(exporters, reference)
    if require_license is not None:
        require_permissive(reference.bundle.provenance)
    if caution := unfinished(reference.bundle.provenance):
        console.say(f"{run}: {caution}")
    entries: dict[str, Any] = {}
    too_slow: list[str] = []
    with open_exports(run) as exports:
        for exporter in exporters:
            exports.check(exporter.name)
        for exporter in exporters:
            try:
                entries.update(_export_format(exporter, reference, exports))
            except NotReached as error:
                too_slow.append(str(error))
    if as_json:
        print(console.to_json(entries))
    else:
        console.show(*(summary(entries) if entries else ()))
    if failed := [*refusals(entries), *too_slow]:
        raise NotReached(*failed)


def _export_format(exporter: Component, reference: Reference, exports: ExportFolder) -> dict[str, dict[str, Any]]:
    """Write one format, check parity, publish it if it passes; return its record by its path in `exports`."""
    from ftaug.components.exporters import timing
    from ftaug.engine.system.storage import storage_errors
    from ftaug.runs.export.folder import files_of
    from ftaug.runs.export.model_card import CardSource, write_card
    from ftaug.runs.export.provenance import unfinished

    opened, bundle = reference.opened, reference.bundle
    name = f"{bundle.name}{exporter.fact('suffix')}"
    with exports.unfinished(exporter.name) as folder:
        with storage_errors(f"{exports.path / exporter.name}: cannot be written"):
            loaded = exporter(bundle, folder / name)
        comparison = reference.compare(loaded, _allowance(exporter))
        record = {
            "format": exporter.name,
            "settings": dict(exporter.settings),
            "checkpoint": opened.checkpoint.name,
            "complete": not unfinished(bundle.provenance),
            "bytes": sum(path.stat().st_size for path in files_of(folder)),
            "milliseconds": timing.milliseconds(folder / name, bundle),
            **comparison.record(),
        }
        with storage_errors(f"{exports.path / exporter.name}: cannot be written"):
            write_card(CardSource(opened, bundle, exporter, folder / name), exports.path / exporter.name)
        files = exports.publish(folder, exporter.name, record) if comparison.holds else []
    printed = {"without_data": comparison.without_data, "files": [str(file) for file in files]}
    return {f"{exporter.name}/{name}": {**record, **printed}}


def _allowance(exporter: Component) -> Allowance:
    """Return the tolerance of an exporter."""
    from ftaug.runs.export.parity import Allowance

    loss = exporter.settings["tolerance"] if exporter.fact("lossy") else None
    return Allowance(rounding=exporter.fact("rounding"), metric_loss=loss)
