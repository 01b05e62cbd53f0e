"""JSON Schema of search spaces, which may stand wherever a value may be searched."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ftaug.config.dump import WITHOUT_INFLUENCE
from ftaug.config.search_space import FIXED, SEARCH, is_within

Schema = dict[str, Any]

IS_SPACE = {"type": "object", "required": [SEARCH]}


@dataclass(frozen=True)
class SpaceSchemas:
    """Definitions of values that may be searched, each once however many settings have such a value."""

    definitions: dict[str, Schema] = field(default_factory=dict)

    def allow(self, value: Schema, *, in_list: bool = False) -> Schema:
        """Return the schema of a value or of a search space of such values; in lists, null removes the item.

        A condition chooses between the two, so that errors are those of a value unless `search` is written.
        """
        of_value = value if "$ref" in value else self._define(value, "value")
        choice = {"anyOf": [of_value, {"type": "null"}]} if in_list else of_value
        space: Schema = {"type": "array", "items": choice, "minItems": 2}
        if _has_numbers(value):
            space = {"if": {"type": "array"}, "then": space, "else": self._range(of_value)}
        whole = {"type": "object", "properties": {SEARCH: space}, "additionalProperties": False}
        return self._define({"if": self._define(IS_SPACE, "is_space"), "then": whole, "else": of_value}, "searchable")

    def _range(self, of_value: Schema) -> Schema:
        """Build the schema of a range of numbers, both ends of which are values of the setting."""
        end = of_value | {"type": "number"}
        ends = {"log": end | {"exclusiveMinimum": 0}, "range": end}
        forms = {
            form: {
                "properties": {form: self._define(_pair(each), "ends"), "default": end},
                "required": [form],
                "additionalProperties": False,
            }
            for form, each in ends.items()
        }
        return {"type": "object", "if": {"required": ["log"]}, "then": forms["log"], "else": forms["range"]}

    def _define(self, schema: Schema, word: str) -> Schema:
        """Return a reference to the definition with this content."""
        name = next((name for name, known in self.definitions.items() if known == schema), None)
        if name is None:
            number = sum(name.split("-")[0] == word for name in self.definitions)
            name = f"{word}-{number + 1}" if number else word
            self.definitions[name] = schema
        return {"$ref": f"#/$defs/{name}"}


def _has_numbers(schema: Schema) -> bool:
    """Whether a schema allows numbers."""
    return schema.get("type") in ("number", "integer") or any(map(_has_numbers, schema.get("anyOf", ())))


def _pair(end: Schema) -> Schema:
    return {"type": "array", "prefixItems": [end, end], "minItems": 2, "maxItems": 2}


def may_be_searched(key: str) -> bool:
    """Whether a space may stand at a key of the experiment file."""
    return not any(is_within(key, other) for other in (*FIXED, *map(".".join, WITHOUT_INFLUENCE)))
