"""Parse the formats to export to, with their settings."""

from __future__ import annotations

from collections.abc import Sequence

from ftaug.config.registry import Component
from ftaug.errors import ExperimentError, Place, Problem
from ftaug.runs.component_option import parse_component
from ftaug.runs.export.folder import EXPORTS
from ftaug.runs.export.reference import Reference


def parse_format(text: str) -> Component:
    """Parse a format: `onnx`, or with settings `{onnx: {opset: 20}}`; raises ExperimentError."""
    return parse_component("exporter", text, "--format")


def parse_formats(formats: Sequence[str]) -> list[Component]:
    """Parse all `--format` values; raises ExperimentError if two would be written to the same folder."""
    taken: dict[str, str] = {}
    components = []
    for text in dict.fromkeys(formats):
        exporter = parse_format(text)
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
