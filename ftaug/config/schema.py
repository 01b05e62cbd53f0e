"""Signatures and dataclasses → pydantic models; pydantic's errors → sentences with their place in the tree."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, Strict, TypeAdapter, ValidationError, ValidationInfo, create_model
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from ftaug.config.document import Where
from ftaug.config.registry import REGISTRIES, Component, explanations, hashable, registry
from ftaug.config.words import article, dotted, shown, wording
from ftaug.errors import did_you_mean

REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class OfKind:
    """Marks a setting that is a component of a kind: a name, or one key with its settings."""

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """Validate by `read_component`."""
        return core_schema.with_info_plain_validator_function(functools.partial(read_component, self.kind))


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a tree, in words that still lack the way to it."""

    before: str  # "unknown key 'epoch'"
    after: str  # "; did you mean 'epochs'?"
    names: Literal["self", "parent", "nothing"]  # what stands between the two
    at_key: bool = False

    def sentence(self, where: Where) -> str:
        """The whole sentence."""
        if self.names == "self":
            return f"{dotted(where) or 'the experiment'} {self.after}"
        if self.names == "parent" and len(where) > 1:
            return f"{self.before} in {dotted(where[:-1])}{self.after}"
        return f"{self.before}{self.after}"


def predicate(words: str) -> Fault:
    """A fault that reads `path words`."""
    return Fault("", words, "self")


def fail(*faults: tuple[Where, Fault]) -> ValidationError:
    """The error that hands faults up through pydantic, which puts the outer part of the way before each."""
    kind = PydanticCustomError("ftaug", "fault")
    return ValidationError.from_exception_data(
        "ftaug", [InitErrorDetails(type=kind, loc=where, input=fault) for where, fault in faults]
    )


@dataclass(frozen=True)
class Shape:
    """The keys that a mapping may have: the settings of a function, or the fields of a dataclass."""

    name: str
    annotations: Mapping[str, Any]
    defaults: Mapping[str, Any]  # REQUIRED where there is none
    explanations: Mapping[str, str]

    @functools.cached_property
    def model(self) -> type[BaseModel]:
        """The strict pydantic model."""
        fields: dict[str, Any] = {}
        for key, annotation in self.annotations.items():
            default = self.defaults[key]
            required = {} if default is REQUIRED else {"default": default}
            # A prefix, so that no setting can shadow a method of BaseModel.
            fields[f"key_{key}"] = (adapted(annotation), Field(alias=key, **required))
        config = ConfigDict(extra="forbid", strict=True, validate_default=True, arbitrary_types_allowed=True)
        return create_model(self.name, __config__=config, **fields)

    def read(self, tree: Any, context: Mapping[str, Any]) -> dict[str, Any]:
        """Validate a mapping and fill in what it leaves out; raises ValidationError made of faults."""
        if not isinstance(tree, dict):
            keys = f"with the keys {', '.join(self.annotations)}" if self.annotations else "without keys"
            raise fail(((), predicate(f"must be a mapping {keys}; got {shown(tree)}")))
        try:
            model = self.model.model_validate(tree, context=dict(context))
        except ValidationError as error:
            raise fail(*self._faults(error, tree)) from None
        return {key: hashable(getattr(model, f"key_{key}")) for key in self.annotations}

    def _faults(self, error: ValidationError, tree: Mapping[str, Any]) -> Iterator[tuple[Where, Fault]]:
        for line in error.errors(include_url=False, include_context=False):
            where, value = line["loc"], line["input"]
            if isinstance(value, Fault):
                yield where, value
            elif line["type"] == "extra_forbidden":
                yield where, unknown_key(str(where[-1]), self.name, list(self.annotations))
            elif line["type"] == "missing":
                expected = wording(annotation_at(self.annotations, where))
                yield where, Fault(f"missing key '{where[-1]}'", f": it must be {expected}", "parent")
            else:
                expected = wording(annotation_at(self.annotations, where))
                yield where, predicate(f"must be {expected}; got {shown(value)}")


def unknown_key(key: str, owner: str, known: Sequence[str]) -> Fault:
    """The fault for a key that its mapping does not have."""
    hint = elsewhere(key, owner) or did_you_mean(key, known) or "; there is nothing to set"
    return Fault(f"unknown key '{key}'", hint, "parent", at_key=True)


def elsewhere(key: str, owner: str) -> str:
    """Point to where a key of the file's upper levels, or of another tool, belongs."""
    from ftaug.config.aliases import right_place

    target = right_place(key, owner)
    return f"; did you mean '{target}'?" if target else ""


@functools.cache
def function_shape(function: Callable[..., Any], name: str = "") -> Shape:
    """The settings of a component function; raises TypeError for a type that no YAML can hold."""
    plain = inspect.unwrap(function)
    parameters = [p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    annotations: dict[str, Any] = {}
    for p in parameters:
        annotation = p.annotation
        if isinstance(annotation, str):
            try:
                annotation = eval(annotation, plain.__globals__)
            except Exception as error:
                raise TypeError(f"{function.__name__}: the type of '{p.name}' cannot be read: {error}") from None
        if not holdable(annotation):
            raise TypeError(f"{function.__name__}: no YAML can hold the type of '{p.name}', {annotation}")
        annotations[p.name] = annotation
    defaults = {p.name: p.default for p in parameters}
    return Shape(name or function.__name__, annotations, defaults, explanations(function))


@functools.cache
def dataclass_shape(cls: type) -> Shape:
    """The fields of a dataclass; a trailing underscore is not part of the key in YAML (`from_`)."""
    hints = get_type_hints(cls, include_extras=True)
    annotations: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        key = field.name.rstrip("_")
        annotations[key] = hints[field.name]
        if field.default is not dataclasses.MISSING:
            defaults[key] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            defaults[key] = field.default_factory()
        else:
            defaults[key] = REQUIRED
    return Shape(cls.__name__, annotations, defaults, explanations(cls))


def read_dataclass(cls: type, tree: Any, info: ValidationInfo) -> Any:
    """Make the dataclass from a mapping, or from the value that is the default of its field."""
    if isinstance(tree, cls):
        tree = {key: getattr(tree, _field_name(cls, key)) for key in dataclass_shape(cls).annotations}
    return read_tree(cls, tree, info.context or {})


def read_tree(cls: type, tree: Any, context: Mapping[str, Any]) -> Any:
    """Make the dataclass from a whole tree; raises ValidationError made of faults."""
    values = dataclass_shape(cls).read(tree, context)
    return cls(**{_field_name(cls, key): value for key, value in values.items()})


def _field_name(cls: type, key: str) -> str:
    return key if key in cls.__dataclass_fields__ else f"{key}_"  # type: ignore[attr-defined]


def read_component(kind: str, tree: Any, info: ValidationInfo) -> Component:
    """Make the component from a name, or from one key with its settings."""
    if isinstance(tree, Component):
        return tree
    context = info.context or {}
    entries = registry(kind, context.get("modality", "image"))
    if isinstance(tree, dict) and len(tree) == 1:
        (name, settings), at_key = next(iter(tree.items())), True
    elif isinstance(tree, str) and tree:
        name, settings, at_key = tree, {}, False
    elif isinstance(tree, dict) and tree:
        first = next(iter(tree))
        hint = f": indent the settings of '{first}' below it" if first in entries else ""
        raise fail(((), predicate(f"must be one {kind}; got the keys {', '.join(tree)}{hint}")))
    else:
        words = f"must be {article(kind)} {kind}: its name, or its name with its settings below it; got {shown(tree)}"
        raise fail(((), predicate(words)))
    prefix = (name,) if at_key else ()
    try:
        entry = entries[name]
    except KeyError as error:
        words = str(error.args[0])
        if missing := context.get("missing_plugins"):
            words = f"no {kind} '{name}'; it may be in {', '.join(missing)}, which was not imported"
        raise fail((prefix, Fault(words, "", "nothing", at_key=at_key))) from None
    try:
        bound = function_shape(entry.function, name).read({} if settings is None else settings, context)
    except ValidationError as error:
        raise fail(*((prefix + line["loc"], line["input"]) for line in error.errors())) from None
    return Component(kind, name, bound, entries.modality, entry.origin)


def adapted(annotation: Any) -> Any:
    """The annotation that pydantic gets: dataclasses and unions are read by ftaug, lists count as tuples."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *metadata = arguments
        if any(isinstance(m, OfKind) for m in metadata):
            return annotation
        for m in metadata:
            inner = Annotated[inner if m is not metadata[0] else adapted(arguments[0]), m]
        return inner
    if is_union(annotation):
        some = tuple(a for a in arguments if a is not types.NoneType)
        one = adapted(some[0]) if len(some) == 1 else Annotated[Any, AnyOf(some)]
        return one if len(some) == len(arguments) else one | None
    if is_section(annotation):
        return Annotated[Any, ReadBy(annotation)]
    if origin in (tuple, list):
        return Annotated[origin[tuple(a if a is Ellipsis else adapted(a) for a in arguments)], Strict(False)]
    if is_mapping(origin):
        return dict[str, adapted(arguments[1])]  # type: ignore[misc]
    return annotation


@dataclass(frozen=True)
class ReadBy:
    """Marks a value that is a mapping with the keys of a dataclass."""

    cls: type

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """Validate by `read_dataclass`."""
        return core_schema.with_info_plain_validator_function(functools.partial(read_dataclass, self.cls))


@dataclass(frozen=True)
class AnyOf:
    """Marks a value of one of several types."""

    types: tuple[Any, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """Try the types that the value's form fits, in their order."""
        adapters = [(annotation, TypeAdapter(adapted(annotation))) for annotation in self.types]

        def read(value: Any, info: ValidationInfo) -> Any:
            fitting = [(annotation, adapter) for annotation, adapter in adapters if fits(annotation, value)]
            errors = []
            for annotation, adapter in fitting:
                try:
                    return adapter.validate_python(value, strict=None, context=info.context)
                except ValidationError as error:
                    if any(isinstance(line["input"], Fault) for line in error.errors()):
                        errors.append(error)
            if errors and (len(fitting) == 1 or not isinstance(value, str)):
                raise errors[0]
            raise fail(((), predicate(f"must be {wording(Union[self.types])}; got {shown(value)}")))

        return core_schema.with_info_plain_validator_function(read)


def fits(annotation: Any, value: Any) -> bool:
    """Whether a value has the form of a type, be it right or wrong inside."""
    bare = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if is_component(annotation):
        return isinstance(value, str | dict | Component)
    if is_section(bare):
        keys = dataclass_shape(bare).annotations
        return isinstance(value, bare) or (isinstance(value, dict) and any(key in keys for key in value))
    if get_origin(bare) in (tuple, list):
        return isinstance(value, list | tuple)
    if is_mapping(get_origin(bare)):
        return isinstance(value, dict)
    return not isinstance(value, list | tuple | dict)


def check_components(origin: str) -> None:
    """Look at all that a plugin registered; raises TypeError for a setting whose type no YAML can hold."""
    for registered in REGISTRIES.values():
        for entry in (*(registered[name] for name in registered), *registered.prefixes.values()):
            if entry.origin == origin:
                function_shape(entry.function, entry.name)


def annotation_at(annotations: Mapping[str, Any], where: Where) -> Any:
    """The annotation of a value inside one of the settings."""
    annotation = annotations[str(where[0])]
    for step in where[1:]:
        while get_origin(annotation) is Annotated or is_union(annotation):
            annotation = next(a for a in get_args(annotation) if a is not types.NoneType)
        arguments = get_args(annotation)
        if is_mapping(get_origin(annotation)):
            annotation = arguments[1]
        elif isinstance(step, int) and arguments:
            annotation = arguments[0] if len(arguments) == 1 or arguments[-1] is Ellipsis else arguments[step]
    return annotation


def is_section(annotation: Any) -> bool:
    """Whether the annotation is a dataclass whose fields are keys in YAML."""
    return dataclasses.is_dataclass(annotation) and not hasattr(annotation, "__get_pydantic_core_schema__")


def is_union(annotation: Any) -> bool:
    """Whether the annotation is `A | B`."""
    return get_origin(annotation) in (Union, types.UnionType)


def is_mapping(origin: Any) -> bool:
    """Whether the origin of an annotation is a mapping."""
    return isinstance(origin, type) and issubclass(origin, Mapping)


def is_component(annotation: Any) -> bool:
    """Whether the annotation is a component of a kind."""
    return get_origin(annotation) is Annotated and any(isinstance(m, OfKind) for m in get_args(annotation)[1:])


def holdable(annotation: Any) -> bool:
    """Whether YAML can hold values of the type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return is_component(annotation) or holdable(arguments[0])
    if origin is Literal:
        return True
    if origin is not None and (is_union(annotation) or origin in (tuple, list)):
        return all(a is Ellipsis or holdable(a) for a in arguments)
    if is_mapping(origin):
        return arguments[0] is str and holdable(arguments[1])
    if annotation in (int, float, str, bool, Path, types.NoneType, None):
        return True
    return dataclasses.is_dataclass(annotation) or hasattr(annotation, "__get_pydantic_core_schema__")
