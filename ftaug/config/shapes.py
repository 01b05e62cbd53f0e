"""Keys and types of a mapping, from signatures and dataclasses; pydantic's errors are translated for users."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BeforeValidator, GetCoreSchemaHandler, Strict, TypeAdapter, ValidationError, ValidationInfo
from pydantic_core import CoreConfig, CoreSchema, ErrorDetails, SchemaValidator, core_schema

from ftaug.config.annotations import (
    annotation_at,
    doc,
    evaluated,
    holdable,
    is_component,
    is_list_of_words,
    is_mapping,
    is_section,
    is_union,
)
from ftaug.config.hints import KeyPaths, listed_as, suggestion
from ftaug.config.other_names import setting_hint
from ftaug.config.problems import PartialProblem, fail, predicate
from ftaug.config.registry import (
    Component,
    called_by_author,
    explanations,
    hashable,
    key_of,
)
from ftaug.config.types import FilePath
from ftaug.config.wording import as_list, shown, valid_keys, wording
from ftaug.config.yaml_document import Where
from ftaug.errors import SHOWN

REQUIRED = inspect.Parameter.empty

_STRICT = CoreConfig(strict=True)


@dataclass(frozen=True, eq=False)
class Shape:
    """Keys, types, defaults and explanations of a mapping: a function's settings or a dataclass's fields."""

    name: str
    annotations: Mapping[str, Any]
    defaults: Mapping[str, Any]  # REQUIRED where there is none
    explanations: Mapping[str, str]

    @functools.cached_property
    def validator(self) -> TypeAdapter[dict[str, Any]]:
        """Build pydantic's validator of the mapping: strict, no other keys."""
        return TypeAdapter(Annotated[dict[str, Any], self])

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Build pydantic's schema from the annotations."""
        fields = {
            key: core_schema.typed_dict_field(handler.generate_schema(adapted(annotation)))
            for key, annotation in self.annotations.items()
        }
        return core_schema.typed_dict_schema(fields, extra_behavior="forbid", config=_STRICT)

    def read(self, tree: Any, context: Mapping[str, Any]) -> dict[str, Any]:
        """Validate a mapping and fill in defaults; raises ValidationError with PartialProblems."""
        if not isinstance(tree, dict):
            keys = f"with the keys {', '.join(self.annotations)}" if self.annotations else "without keys"
            raise fail(((), predicate(f"must be a mapping {keys}; got {shown(tree)}")))
        complete = {key: value for key, value in self.defaults.items() if value is not REQUIRED} | tree
        try:
            values = self.validator.validate_python(complete, context=dict(context))
        except ValidationError as error:
            lines, paths = error.errors(include_url=False), context.get("key_paths", ())
            faults = (self._fault(line, complete, paths, hint=n < SHOWN) for n, line in enumerate(lines))
            raise fail(*faults) from None
        return {key: hashable(values[key]) for key in self.annotations}

    def _fault(
        self, line: ErrorDetails, tree: Mapping[str, Any], paths: KeyPaths, *, hint: bool
    ) -> tuple[Where, PartialProblem]:
        where, value = line["loc"], line["input"]
        if isinstance(value, PartialProblem):
            return as_written(where, tree), value
        if line["type"] == "extra_forbidden" and not hint:
            return where, PartialProblem(f"unknown key '{where[-1]}'", "", "parent", at_key=True)
        if line["type"] == "extra_forbidden":
            return where, self._unknown(str(where[-1]), paths)
        if line["type"] == "missing" and len(where) == 1:
            expected = wording(self.annotations[str(where[0])])
            return where, PartialProblem(f"missing key '{where[0]}'", f": it must be {expected}", "parent")
        if line["type"] == "missing":  # from a list that is too short
            where = where[:-1]
            value = value_at(tree, where)
        annotation = annotation_at(self.annotations, where)
        mend = as_list(value) if line["type"] in ("tuple_type", "list_type") else ""
        return as_written(where, tree), predicate(f"must be {wording(annotation)}; got {shown(value)}{mend}")

    def _unknown(self, key: str, paths: KeyPaths) -> PartialProblem:
        """Build the problem of an unknown key, with the nearest valid key here or elsewhere in the file."""
        name, colon, rest = key.partition(":")
        if colon and name in self.annotations:
            return PartialProblem(
                f"unknown key '{key}'", f"; write a space after the colon: '{name}: {rest}'", "parent", at_key=True
            )
        near = suggestion(key, self.name, paths) or setting_hint(key, self.annotations)
        near = near or valid_keys(key, self.annotations, listed_as(self.name, paths))
        return PartialProblem(f"unknown key '{key}'", near, "parent", at_key=True)


@functools.cache
def function_shape(function: Callable[..., Any], name: str = "") -> Shape:
    """Return the settings of a component function; raises TypeError for a type that YAML cannot hold."""
    annotations: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY:
            annotations[key_of(parameter.name)] = _type_of(function, parameter)
            defaults[key_of(parameter.name)] = parameter.default
    return Shape(name or function.__name__, annotations, defaults, _explained(function, annotations))


def _type_of(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """Return the type of a setting; raises TypeError for one that is unknown or that YAML cannot hold."""
    called = f"{called_by_author(function)}: the type of '{parameter.name}'"
    try:
        annotation = evaluated(function, parameter.annotation)
    except Exception as error:
        text = f"{called}, {parameter.annotation}, is unknown when the experiment is read: {error}"
        raise TypeError(text) from None
    if not holdable(annotation):
        raise TypeError(f"{called}, {annotation}, cannot be written in YAML; use numbers, strings, lists or components")
    return annotation


@functools.cache
def dataclass_shape(cls: type) -> Shape:
    """Return the fields of a dataclass; YAML keys lack the trailing underscore (`from_`)."""
    hints = get_type_hints(cls, include_extras=True)
    annotations: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        key = field.name.rstrip("_")
        annotations[key] = hints[field.name]
        if field.default_factory is not dataclasses.MISSING:
            defaults[key] = field.default_factory()
        else:
            defaults[key] = REQUIRED if field.default is dataclasses.MISSING else field.default
    return Shape(cls.__name__, annotations, defaults, _explained(cls, annotations))


def _explained(documented: Any, annotations: Mapping[str, Any]) -> dict[str, str]:
    """Explain settings by the docstring, or else by their types."""
    docs = {key: doc(annotation) for key, annotation in annotations.items()}
    return {key: text for key, text in docs.items() if text} | explanations(documented)


def read_dataclass(cls: type, tree: Any, info: ValidationInfo) -> Any:
    """Build the dataclass from a mapping, or accept the default value of its field."""
    if isinstance(tree, cls):
        tree = {key: getattr(tree, _field_name(cls, key)) for key in dataclass_shape(cls).annotations}
    return read_tree(cls, tree, info.context or {})


def read_tree(cls: type, tree: Any, context: Mapping[str, Any]) -> Any:
    """Build the dataclass from a mapping; raises ValidationError with PartialProblems."""
    values = dataclass_shape(cls).read(tree, context)
    return cls(**{_field_name(cls, key): value for key, value in values.items()})


def _field_name(cls: type, key: str) -> str:
    return key if hasattr(cls, "__dataclass_fields__") and key in cls.__dataclass_fields__ else f"{key}_"


def adapted(annotation: Any) -> Any:
    """Convert an annotation for pydantic: dataclasses and unions are read by ftaug, lists are accepted as tuples."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if is_component(annotation):
        return annotation
    if origin is Annotated:
        inner = arguments[0] if arguments[0] is Path else adapted(arguments[0])
        return Annotated[(inner, *arguments[1:])]
    if annotation is Path:
        return FilePath
    if is_union(annotation):
        some = tuple(a for a in arguments if a is not types.NoneType)
        inner = adapted(some[0]) if len(some) == 1 else Annotated[Any, AnyOf(some)]
        return inner if len(some) == len(arguments) else inner | None
    if is_section(annotation):
        return Annotated[Any, Section(annotation)]
    if origin in (tuple, list):
        lone = (BeforeValidator(word_as_list),) if is_list_of_words(annotation) else ()
        return Annotated[(origin[tuple(a if a is Ellipsis else adapted(a) for a in arguments)], Strict(False), *lone)]
    if is_mapping(origin):
        return dict[str, adapted(arguments[1])]  # type: ignore[misc]
    return annotation


@dataclass(frozen=True)
class Section:
    """Marks a value that is a mapping with the keys of a dataclass."""

    cls: type

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """Validate by `read_dataclass`."""
        return core_schema.with_info_plain_validator_function(functools.partial(read_dataclass, self.cls))


@dataclass(frozen=True)
class AnyOf:
    """Marks a value of one of several types, none of them null."""

    types: tuple[Any, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Try the member types whose form the value has, in order."""
        schemas = [handler.generate_schema(adapted(annotation)) for annotation in self.types]
        choices = [(a, SchemaValidator(schema, _STRICT)) for a, schema in zip(self.types, schemas, strict=True)]

        def read(value: Any, info: ValidationInfo) -> Any:
            errors = []
            fitting = [choice for annotation, choice in choices if fits(annotation, value)]
            if isinstance(value, str):
                fitting += [choice for annotation, choice in choices if is_list_of_words(annotation)]
            for choice in fitting:
                try:
                    return choice.validate_python(value, context=info.context)
                except ValidationError as error:
                    errors.append(error)
            messages = [
                error for error in errors if all(isinstance(line["input"], PartialProblem) for line in error.errors())
            ]
            if messages and (len(fitting) == 1 or not isinstance(value, str)):
                raise messages[0]
            expected = ", or ".join(wording(annotation).removeprefix("one of ") for annotation in self.types)
            raise fail(((), predicate(f"must be {expected}; got {shown(value)}")))

        return core_schema.with_info_plain_validator_function(read)


def fits(annotation: Any, value: Any) -> bool:
    """Whether a value has the outer form of a type, valid inside or not."""
    if is_component(annotation):
        return isinstance(value, str | dict | Component)
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if is_section(bare):
        keys = dataclass_shape(bare).annotations
        return isinstance(value, bare) or (
            isinstance(value, dict) and any(key.partition(":")[0] in keys for key in value)
        )
    if get_origin(bare) in (tuple, list):
        return isinstance(value, list | tuple)
    if is_mapping(get_origin(bare)):
        return isinstance(value, dict)
    return not isinstance(value, list | tuple | dict)


def word_as_list(value: Any) -> Any:
    """Wrap a single word in a list."""
    return [value] if isinstance(value, str) and value else value


def as_written(where: Where, tree: Any) -> Where:
    """Return the path of a value in the tree as written, with a word in place of a list."""
    for position, step in enumerate(where):
        if isinstance(tree, str) and isinstance(step, int):
            return where[:position] + where[position + 1 :]
        try:
            tree = tree[step]
        except (LookupError, TypeError):
            return where
    return where


def value_at(tree: Any, where: Where) -> Any:
    """Return the value at a path in a tree; None if there is none."""
    for step in where:
        try:
            tree = tree[step]
        except (LookupError, TypeError):
            return None
    return tree
