"""The JSON Schema of the experiment file, for editors: made from the annotations that also validate it."""

from __future__ import annotations

import types
from typing import Annotated, Any, get_args, get_origin

from pydantic import TypeAdapter

from ftaug.config.annotations import Kind, is_component, is_mapping, is_section, is_union
from ftaug.config.dump import to_plain
from ftaug.config.experiment import Experiment
from ftaug.config.registry import REGISTRIES, Entry, Registry
from ftaug.config.schema import REQUIRED, Shape, dataclass_shape, entry_shape

Schema = dict[str, Any]


def experiment_schema(modality: str) -> Schema:
    """The whole schema, with the components of one modality."""
    definitions: dict[str, Schema] = {}
    for (kind, of), registry in sorted(REGISTRIES.items()):
        if of in (modality, "any"):
            definitions[kind] = of_registry(registry)
            definitions |= {reference(kind, entry): of_entry(entry) for entry in entries(registry).values()}
    schema = of_shape(dataclass_shape(Experiment))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "ftaug experiment", **schema} | {
        "$defs": definitions
    }


def of_shape(shape: Shape) -> Schema:
    """The schema of a mapping with given keys."""
    properties: dict[str, Schema] = {}
    for key, annotation in shape.annotations.items():
        default = shape.defaults[key]
        said = {"description": shape.explanations[key]} if key in shape.explanations else {}
        properties[key] = of_annotation(annotation) | said
        if default is not REQUIRED:
            properties[key]["default"] = to_plain(default)
    required = [key for key in shape.annotations if shape.defaults[key] is REQUIRED]
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def of_registry(registry: Registry) -> Schema:
    """The schema of a component of a kind: a name, or one key with its settings."""
    found = entries(registry)
    to = {name: {"$ref": f"#/$defs/{reference(registry.kind, entry)}"} for name, entry in found.items()}
    prefixes = {f"^{prefix}.": to[prefix] for prefix in registry.prefixes}
    bare = [name for name in registry if "required" not in of_entry(found[name])]
    names: list[Schema] = [{"enum": bare}, *({"type": "string", "pattern": pattern} for pattern in prefixes)]
    one_key = {"type": "object", "properties": {name: to[name] for name in registry}, "patternProperties": prefixes}
    return {"anyOf": [*names, one_key | {"additionalProperties": False, "minProperties": 1, "maxProperties": 1}]}


def entries(registry: Registry) -> dict[str, Entry]:
    """All entries of a registry, those of a prefix under it."""
    return {name: registry[name] for name in registry} | registry.prefixes


def reference(kind: str, entry: Entry) -> str:
    """The name of a function's schema, which several names may share."""
    return f"{kind}.{entry.function.__name__}"


def of_entry(entry: Entry) -> Schema:
    """The schema of the settings below a component's name."""
    schema = of_shape(entry_shape(entry))
    either = schema if "required" in schema else {"anyOf": [schema, {"type": "null"}]}
    return {"description": entry.summary, **either}


def of_annotation(annotation: Any) -> Schema:
    """The schema of a value of a type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if is_component(annotation):
        return {"$ref": f"#/$defs/{next(mark.kind for mark in arguments[1:] if isinstance(mark, Kind))}"}
    if origin is Annotated and _is_container(arguments[0]):
        return of_annotation(arguments[0])
    if is_union(annotation):
        return {"anyOf": [of_annotation(a) for a in arguments]}
    if is_section(annotation):
        return of_shape(dataclass_shape(annotation))
    if origin is tuple and arguments[-1] is not Ellipsis:
        items = [of_annotation(a) for a in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin in (tuple, list):
        return {"type": "array", "items": of_annotation(arguments[0])}
    if is_mapping(origin):
        return {"type": "object", "additionalProperties": of_annotation(arguments[1])}
    return {"type": "null"} if annotation is types.NoneType else TypeAdapter(annotation).json_schema()


def _is_container(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return is_union(annotation) or is_section(annotation) or origin in (tuple, list) or is_mapping(origin)
