"""Read components and their settings from YAML trees; the errors are sentences for users."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ftaug.config.annotations import Kind, is_list
from ftaug.config.other_names import hint, same_name, spelled
from ftaug.config.problems import PartialProblem, fail, predicate
from ftaug.config.registry import REGISTRIES, Component, Entry, Registry, registry
from ftaug.config.severity import Severity, governed, settings_at
from ftaug.config.shapes import REQUIRED, Shape, function_shape
from ftaug.config.wording import article, shown
from ftaug.config.yaml_document import Where
from ftaug.errors import SHOWN


class OfKind(Kind):
    """Marks a setting that is a component of a kind: `Annotated[Component, OfKind("augmentation")]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        """Validate by `read_component`."""
        return core_schema.with_info_plain_validator_function(functools.partial(read_component, self.kind))


def read_component(kind: str, tree: Any, info: ValidationInfo) -> Component:
    """Build the component from a name, or one key with its settings; raises ValidationError with PartialProblems."""
    if isinstance(tree, Component):
        return tree
    context = info.context or {}
    entries = registry(kind, context.get("modality", "image"))
    settings: Any = None
    prefix: Where = ()
    if isinstance(tree, str) and tree:
        name = tree
    elif isinstance(tree, dict) and len(tree) == 1:
        ((name, settings),) = tree.items()
        prefix = (name,)
    elif isinstance(tree, dict) and tree:
        raise fail(((), predicate(f"must be one {kind}; got the keys {', '.join(tree)}{_mend(entries, *tree)}")))
    else:
        words = f"must be {article(kind)} {kind}: its name, or its name with its settings below it; got {shown(tree)}"
        raise fail(((), predicate(words)))
    name = name if name in entries else spelled(kind, name)
    if name not in entries and not _hint_wanted(context):
        raise fail((prefix, PartialProblem(f"no {kind} '{name}'", "", "nothing", at_key=bool(prefix))))
    try:
        entry = entries[name]
    except KeyError as error:
        words = _elsewhere(kind, name, context) or str(error.args[0])
        if missing := context.get("missing_plugins"):
            words += f" (not imported: {', '.join(missing)})"
        raise fail((prefix, PartialProblem(words, "", "nothing", at_key=bool(prefix)))) from None
    only = list_setting(entry) if isinstance(settings, str | list) else None
    try:
        bound = read_settings(entry, {} if settings is None else {only: settings} if only else settings, context)
    except ValidationError as error:
        inside = 1 if only else 0  # a list in place of the settings: its key is not in the file
        raise fail(*((prefix + line["loc"][inside:], line["input"]) for line in error.errors())) from None
    return Component(kind, name, bound, entries.modality, entry.origin)


def list_setting(entry: Entry) -> str | None:
    """Return the setting that a bare list stands for: the required one, if it is a list."""
    shape = entry_shape(entry)
    required = [key for key, default in shape.defaults.items() if default is REQUIRED]
    return required[0] if len(required) == 1 and is_list(shape.annotations[required[0]]) else None


def component_named(kind: str, name: str, modality: str, settings: Mapping[str, Any] | None = None) -> Component:
    """Build a component with these settings, all others at their defaults."""
    entries = registry(kind, modality)
    bound = read_settings(entries[name], dict(settings or {}), {})
    return Component(kind, name, bound, entries.modality, entries[name].origin)


def entry_shape(entry: Entry) -> Shape:
    """Return the settings of a component in YAML, with `severity` if it has one."""
    return _shape_with_severity(entry.function, entry.name, tuple(governed(entry)))


@functools.cache
def _shape_with_severity(function: Callable[..., Any], name: str, names: tuple[str, ...]) -> Shape:
    shape = function_shape(function, name)
    if not names:
        return shape
    severity = {"severity": f"how strong it is, from 0 to 1, in place of {' and '.join(names)}"}
    annotations = {**shape.annotations, "severity": Severity | None}
    return Shape(shape.name, annotations, {**shape.defaults, "severity": None}, {**shape.explanations, **severity})


def read_settings(entry: Entry, tree: Any, context: Mapping[str, Any]) -> dict[str, Any]:
    """Validate settings, fill in defaults and resolve `severity`; raises ValidationError with PartialProblems."""
    values = entry_shape(entry).read(tree, context)
    severity = values.pop("severity", None) if governed(entry) else None
    if severity is None:
        return values
    by_severity = settings_at(entry, severity)
    if twice := [key for key in tree if key in by_severity]:
        raise fail(*(((key,), predicate("is set by severity as well; leave one of them out")) for key in twice))
    return {**values, **by_severity}


def _hint_wanted(context: Mapping[str, Any]) -> bool:
    """Whether to look for what an unknown name may mean, which takes time: of a file only some problems are shown."""
    unknown: Iterator[int] = context.get("unknown_names", itertools.count())
    return next(unknown) < SHOWN


def _elsewhere(kind: str, name: str, context: Mapping[str, Any]) -> str:
    """Return a hint if a component of that name exists in another kind or modality, else an empty string."""
    here = context.get("modality", "image")
    known_here = hint(kind, name, registry(kind, here))
    for (other, modality), entries in REGISTRIES.items():
        theirs = same_name(name, entries.own) if modality in ("any", here) and not known_here else None
        if theirs is not None:
            return f"'{name}' is {article(other)} {other}, not {article(kind)} {kind}; see ftaug list {other} {theirs}"
    modalities = [each for each in context.get("other_modalities", lambda: ())() if name in registry(kind, each)]
    if modalities:
        there, here = " or ".join(modalities), context["modality"]
        return (
            f"the {kind} '{name}' is for modality {there}, but this experiment is {here}; "
            f"choose another, or set modality: {there}"
        )
    return ""


def _mend(entries: Registry, first: str, *others: str) -> str:
    """Suggest how to write a component that has several keys."""
    if first in entries and set(others) <= set(entries[first].settings()):
        return f"; indent the settings of '{first}' below it"
    return ""


def not_empty(components: tuple[Component, ...]) -> tuple[Component, ...]:
    """Require at least one component."""
    if not components:
        raise PydanticCustomError("empty", "must not be empty")
    return components


def check_components(origin: str) -> None:
    """Check the settings of all registered components; raises TypeError for a type that YAML cannot hold."""
    for registered in REGISTRIES.values():
        for entry in (*(registered[name] for name in registered), *registered.prefixes.values()):
            if entry.origin == origin:
                function_shape(entry.function, entry.name)
