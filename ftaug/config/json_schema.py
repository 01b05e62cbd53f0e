"""JSON Schema of the experiment file for editors, generated from the annotations that validate it."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_origin

from pydantic import TypeAdapter

from ftaug.config.annotations import Kind, is_component, is_list_of_words, is_mapping, is_section, is_union
from ftaug.config.dump import to_plain
from ftaug.config.experiment import Experiment
from ftaug.config.other_names import SPELLINGS, spelled
from ftaug.config.registry import REGISTRIES, Entry, Registry, registry
from ftaug.config.schema import entry_shape, list_setting
from ftaug.config.shapes import REQUIRED, Shape, dataclass_shape
from ftaug.config.space_schema import Schema, SpaceSchemas, may_be_searched

KEYS = {"logger": "loggers", "metric": "evaluate.metrics"}
"""The keys of the experiment file of those kinds of components that cannot be searched."""


def experiment_schema(modalities: Sequence[str]) -> Schema:
    """The whole schema: by what `modality` says the components of that one, of the first where it says nothing."""
    definitions: dict[str, Schema] = {}
    first, *others = modalities
    choice: Schema = {"$ref": f"#/$defs/{first}"}
    for modality in others:
        named = {"properties": {"modality": {"const": modality}}, "required": ["modality"]}
        choice = {"if": named, "then": {"$ref": f"#/$defs/{modality}"}, "else": choice}
    spaces = SpaceSchemas()
    for modality in modalities:
        definitions |= InModality(modality, spaces).definitions()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "ftaug experiment", "type": "object"}
    return {**head, **choice, "$defs": definitions | spaces.definitions}


@dataclass(frozen=True)
class InModality:
    """Schema of an experiment of one modality, whose name prefixes the definitions of its components."""

    modality: str
    spaces: SpaceSchemas = field(default_factory=SpaceSchemas)

    def definitions(self) -> dict[str, Schema]:
        """Build the definitions: the experiment, each kind of component, and each component's settings."""
        schemas = {self.modality: self.of_shape(dataclass_shape(Experiment))}
        for kind in sorted({kind for kind, of in REGISTRIES if of in (self.modality, "any")}):
            components = registry(kind, self.modality)
            schemas[f"{self.modality}.{kind}"] = self.of_registry(components)
            schemas |= {
                self.reference(kind, entry): self.of_entry(kind, entry) for entry in entries(components).values()
            }
        return schemas

    def of_shape(self, shape: Shape, key: str = "") -> Schema:
        """Build the schema of a mapping with the keys of a shape, which stands at a key of the file."""
        properties: dict[str, Schema] = {}
        for name, annotation in shape.annotations.items():
            default = shape.defaults[name]
            description = {"description": shape.explanations[name]} if name in shape.explanations else {}
            properties[name] = self.of_value(annotation, f"{key}.{name}".lstrip(".")) | description
            if default is not REQUIRED:
                properties[name]["default"] = to_plain(default)
        required = _required(shape)
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return schema | ({"required": required} if required else {})

    def of_registry(self, registry: Registry) -> Schema:
        """Build the schema of a component: its name, or one key with its settings."""
        components = entries(registry)
        to = {name: {"$ref": f"#/$defs/{self.reference(registry.kind, entry)}"} for name, entry in components.items()}
        if may_be_searched(KEYS.get(registry.kind, registry.kind)):
            to = {name: self.spaces.allow(settings) for name, settings in to.items()}
        to |= {name: to[ours] for name, ours in SPELLINGS.get(registry.kind, {}).items() if ours in to}
        prefixes = {f"^{prefix}.": to[prefix] for prefix in registry.prefixes}
        complete = [name for name in to if name not in registry.prefixes]
        bare = [name for name in complete if not _required(entry_shape(registry[spelled(registry.kind, name)]))]
        names: list[Schema] = [{"enum": bare}, *({"type": "string", "pattern": pattern} for pattern in prefixes)]
        one_key = {"type": "object", "properties": {name: to[name] for name in complete}, "patternProperties": prefixes}
        return {"anyOf": [*names, one_key | {"additionalProperties": False, "minProperties": 1, "maxProperties": 1}]}

    def reference(self, kind: str, entry: Entry) -> str:
        """Name the definition of a function; several component names may share it."""
        return f"{self.modality}.{kind}.{entry.function.__name__}"

    def of_entry(self, kind: str, entry: Entry) -> Schema:
        """Build the schema of a component's settings."""
        key = KEYS.get(kind, kind)
        schema = self.of_shape(entry_shape(entry), key)
        forms = [schema] if "required" in schema else [schema, {"type": "null"}]
        if name := list_setting(entry):
            forms.append(schema["properties"][name])
        return {"description": entry.summary, **(schema if len(forms) == 1 else {"anyOf": forms})}

    def of_value(self, annotation: Any, key: str, *, in_list: bool = False) -> Schema:
        """Build the schema of a value, which may be a search space unless all trials share that setting."""
        schema = self.of_annotation(annotation, key)
        return self.spaces.allow(schema, in_list=in_list) if may_be_searched(key) else schema

    def of_annotation(self, annotation: Any, key: str) -> Schema:
        """Build the schema of a type at a key of the file."""
        origin, arguments = get_origin(annotation), get_args(annotation)
        if is_component(annotation):
            return {
                "$ref": f"#/$defs/{self.modality}.{next(mark.kind for mark in arguments[1:] if isinstance(mark, Kind))}"
            }
        if origin is Annotated and _is_container(arguments[0]):
            return self.of_annotation(arguments[0], key)
        if is_union(annotation):
            return {"anyOf": [self.of_annotation(a, key) for a in arguments]}
        if is_section(annotation):
            return self.of_shape(dataclass_shape(annotation), key)
        if origin is tuple and arguments[-1] is not Ellipsis:
            items = [self.of_value(a, key) for a in arguments]
            return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
        if origin in (tuple, list):
            item = self.of_value(arguments[0], key, in_list=True)
            word = self.of_annotation(arguments[0], key) | {"type": "string"}
            forms: list[Schema] = [{"type": "array", "items": item}, word]
            return {"anyOf": forms} if is_list_of_words(annotation) else forms[0]
        if is_mapping(origin):
            return {"type": "object", "additionalProperties": self.of_value(arguments[1], key)}
        return {"type": "null"} if annotation is types.NoneType else TypeAdapter(annotation).json_schema()


def entries(registry: Registry) -> dict[str, Entry]:
    """Return all entries of a registry, families under their prefix."""
    return {name: registry[name] for name in registry} | registry.prefixes


def _required(shape: Shape) -> list[str]:
    return [key for key in shape.annotations if shape.defaults[key] is REQUIRED]


def _is_container(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return is_union(annotation) or is_section(annotation) or origin in (tuple, list) or is_mapping(origin)
