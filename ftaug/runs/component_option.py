"""Parse components that are named on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from ftaug.config.registry import Component
from ftaug.config.schema import OfKind
from ftaug.config.yaml_document import parse_value
from ftaug.errors import ExperimentError, Place, Problem


def parse_component(kind: str, text: str, option: str, context: Mapping[str, Any] | None = None) -> Component:
    """Parse a component: `onnx`, or with settings `{onnx: {opset: 20}}`; raises ExperimentError, naming the option."""
    place = Place(f"{option} {text}")
    try:
        adapter: TypeAdapter[Component] = TypeAdapter(Annotated[Component, OfKind(kind)])
        return adapter.validate_python(parse_value(text, str(place)), context=dict(context or {}))
    except ValidationError as error:
        faults = ((line["input"], line["loc"]) for line in error.errors())
        raise ExperimentError(*(Problem(fault.sentence(where), place) for fault, where in faults)) from None
