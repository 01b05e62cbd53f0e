"""Registries of components: functions whose keyword-only parameters are the settings in YAML."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any, NoReturn, TypeVar, overload

from ftaug.config.annotations import doc, evaluated
from ftaug.config.other_names import hint
from ftaug.config.plugins import import_origin, is_file, origin_of
from ftaug.errors import MissingInput, Place, did_you_mean

Function = TypeVar("Function", bound=Callable[..., Any])

REGISTERS = re.compile(rb"\.(register|family)\b|^@reads\b", re.MULTILINE)
"""The source of a module that registers components, or checks of them."""

REGISTRIES: dict[tuple[str, str], Registry] = {}
"""By kind and modality; the modality of a kind that all share is "any"."""


class FrozenDict(dict[str, Any]):
    """An immutable, hashable mapping."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)

    def _refuse(self, *arguments: Any, **keywords: Any) -> NoReturn:
        raise TypeError("the settings of an experiment are immutable")

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = setdefault = pop = popitem = clear = _refuse


@dataclass(frozen=True)
class Entry:
    """A registered function under one of its names."""

    name: str
    function: Callable[..., Any]
    facts: Mapping[str, Any]
    in_family: bool  # the function serves several names and takes the name before all else

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def origin(self) -> str:
        """What another process imports to register the function: its module, or a plugin's file."""
        return origin_of(self.function.__module__)

    def settings(self) -> dict[str, inspect.Parameter]:
        """The settings: keyword-only parameters by their YAML keys."""
        parameters = inspect.signature(self.function).parameters.values()
        return {key_of(p.name): p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


class Registry:
    """The functions of one kind, by name."""

    def __init__(self, kind: str, given: Sequence[str], *, modality: str = "any", **facts: Any) -> None:
        self.kind, self.given, self.modality, self.facts = kind, tuple(given), modality, facts
        self._entries: dict[str, Entry] = {}
        self._prefixes: dict[str, Entry] = {}
        REGISTRIES[kind, modality] = self

    @overload
    def register(self, function: Function, /) -> Function: ...

    @overload
    def register(self, function: None = None, /, **facts: Any) -> Callable[[Function], Function]: ...

    def register(self, function: Any = None, /, **facts: Any) -> Any:
        """Register a function under its own name; `facts` is metadata that is known without calling it."""
        if function is None:
            return lambda function: self.register(function, **facts)
        self._check(function, self.given)
        self._add(function.__name__, function, facts, in_family=False)
        return function

    def family(self, names: Sequence[str] | str, **facts: Any) -> Callable[[Function], Function]:
        """Register a function under many names, or under every name with a prefix such as `timm/`."""

        def add(function: Function) -> Function:
            self._check(function, ("name", *self.given))
            if isinstance(names, str):
                self._prefixes[names] = Entry(names, function, self._facts(function, facts), True)
            else:
                for name in names:
                    self._add(name, function, facts, in_family=True)
            return function

        return add

    def _add(self, name: str, function: Callable[..., Any], facts: Mapping[str, Any], in_family: bool) -> None:
        taken = self._entries.get(name)
        if taken and _identity(taken.function) != _identity(function):
            other = called_by_author(taken.function)
            taken_by = f"the {self.kind} '{name}' already exists ({other})"
            raise TypeError(f"{called_by_author(function)}: {taken_by}; choose another name")
        self._entries[name] = Entry(name, function, self._facts(function, facts), in_family)

    def _facts(self, function: Callable[..., Any], facts: Mapping[str, Any]) -> dict[str, Any]:
        if unknown := set(facts) - set(self.facts):
            known = f"it knows {', '.join(self.facts)}" if self.facts else "it knows none"
            raise TypeError(
                f"{called_by_author(function)}: the kind {self.kind} knows no fact '{min(unknown)}'; {known}"
            )
        return {**self.facts, **facts}

    def _check(self, function: Callable[..., Any], arguments: Sequence[str]) -> None:
        """Check the signature of a component; raises TypeError. Must be fast: hundreds register at import."""
        parameters = inspect.signature(function).parameters.values()
        before = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        expected = f"def {function.__name__}({', '.join(arguments)}, *, ...)"
        if before != list(arguments) or any(p.kind is p.VAR_POSITIONAL for p in parameters):
            raise TypeError(
                f"{called_by_author(function)}: {self.kind} functions begin `{expected}`; got ({', '.join(before)})"
            )
        if any(p.kind is p.VAR_KEYWORD for p in parameters):
            raise TypeError(f"{called_by_author(function)}: name each setting after the star instead of **keywords")
        if not (function.__doc__ or "").strip():
            raise TypeError(f"{called_by_author(function)}: needs a docstring; its first line is what users read")
        explained = explanations(function)
        for p in parameters:
            if p.kind is not p.KEYWORD_ONLY:
                continue
            if p.annotation is p.empty:
                raise TypeError(
                    f"{called_by_author(function)}: the setting '{p.name}' needs a type, such as {p.name}: float"
                )
            if key_of(p.name) in explained:
                continue
            with suppress(Exception):  # an unknown type is an error when the experiment is read
                if doc(evaluated(function, p.annotation)):
                    continue
            raise TypeError(
                f"{called_by_author(function)}: explain the setting '{key_of(p.name)}' in the docstring: "
                f"a line `{key_of(p.name)}: ...` below `Settings:`"
            )

    @property
    def prefixes(self) -> dict[str, Entry]:
        """Families that are known only by their prefix, such as `timm/`."""
        return dict(self._prefixes)

    @property
    def shared(self) -> Registry | None:
        """The registry of the same kind that all modalities share."""
        return REGISTRIES.get((self.kind, "any")) if self.modality != "any" else None

    @property
    def own(self) -> list[str]:
        """The entries of this registry, without the shared ones."""
        return sorted(self._entries)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._entries, *(self.shared or ())}))

    def __contains__(self, name: str) -> bool:
        prefixed = any(name.startswith(p) and name != p for p in self._prefixes)
        return name in self._entries or prefixed or name in (self.shared or ())

    def __getitem__(self, name: str) -> Entry:
        """Return the entry of a name; raises KeyError with a user-facing message."""
        if name in self._entries:
            return self._entries[name]
        for prefix, entry in self._prefixes.items():
            if name.startswith(prefix) and name != prefix:
                return Entry(name, entry.function, entry.facts, True)
        if self.shared is not None and name in self.shared:
            entry = self.shared[name]
            return Entry(name, entry.function, {**self.facts, **entry.facts}, entry.in_family)
        near = hint(self.kind, name, self) or did_you_mean(name, self, f"ftaug list {self.kind}")
        raise KeyError(f"no {self.kind} '{name}'{near}")


def called_by_author(function: Callable[..., Any]) -> str:
    """A function for its author: with its module, or with the name of the plugin's file."""
    origin = origin_of(function.__module__)
    return f"{Path(origin).name if is_file(origin) else origin}: {function.__qualname__}"


def _identity(function: Callable[..., Any]) -> tuple[str, str]:
    return function.__module__, function.__qualname__


def explanations(documented: Any) -> dict[str, str]:
    """Parse the `Settings:` block of a docstring into an explanation per setting."""
    section = re.search(
        r"^[ \t]*Settings:[ \t]*\n((?:[ \t]+\S.*(?:\n|$)|[ \t]*\n)*)", documented.__doc__ or "", re.MULTILINE
    )
    texts: dict[str, str] = {}
    name = ""
    block = re.split(r"\n[ \t]*\n", section[1], maxsplit=1)[0] if section else ""
    for line in textwrap.dedent(block).splitlines():
        if match := re.match(r"(\w+): *(.*)", line):
            name, texts[match[1]] = match[1], match[2].strip()
        elif name and line.startswith(" "):
            texts[name] = f"{texts[name]} {line.strip()}".strip()
    return {name: text for name, text in texts.items() if text}


def key_of(parameter: str) -> str:
    """Return the YAML key of a parameter, without the trailing underscore of Python keywords (`except_`)."""
    return parameter[:-1] if parameter.endswith("_") and iskeyword(parameter[:-1]) else parameter


def registry(kind: str, modality: str) -> Registry:
    """Return the registry of a kind: that of the modality, or the one shared by all modalities."""
    return REGISTRIES.get((kind, modality)) or REGISTRIES[kind, "any"]


def nested(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Component]]:
    """Yield all components in a value, nested ones too, each with its path."""
    if isinstance(value, Component):
        yield (*way, value.name), value
        yield from nested(value.settings, (*way, value.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from nested(item, (*way, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from nested(item, (*way, index))


def hashable(value: Any) -> Any:
    """Convert lists to tuples and mappings to FrozenDict, recursively."""
    if isinstance(value, list | tuple):
        return tuple(hashable(item) for item in value)
    if isinstance(value, Mapping):
        return FrozenDict({key: hashable(item) for key, item in value.items()})
    return value


@dataclass(frozen=True)
class Component:
    """A registered function with its settings bound. Pickles by name, compares by value, dumps back to YAML."""

    kind: str
    name: str
    settings: Mapping[str, Any]  # complete: defaults filled in
    modality: str = "any"
    origin: str = field(default="", compare=False)  # module or plugin's file, imported where the function is missing
    place: Place | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", hashable(self.settings))

    @property
    def entry(self) -> Entry:
        """The registered function behind the name."""
        entries = REGISTRIES.get((self.kind, self.modality))
        if entries is None or self.name not in entries:
            if self.modality != "any":
                import_module(f"ftaug.{self.modality}")  # declares the kinds; a shared component does not import it
            import_origin(self.origin)
            entries = REGISTRIES[self.kind, self.modality]
        return entries[self.name]

    def __call__(self, *arguments: Any) -> Any:
        """Call the function; errors about missing packages or files name the place in the experiment file."""
        try:
            return self._bound(*arguments)
        except MissingInput as error:
            raise MissingInput(*(replace(p, place=p.place or self.place) for p in error.problems)) from error

    @cached_property
    def _bound(self) -> Callable[..., Any]:
        """The function with its settings bound to its parameter names."""
        entry = self.entry
        names = (entry.name,) if entry.in_family else ()
        settings = {f"{key}_" if iskeyword(key) else key: value for key, value in self.settings.items()}
        return partial(entry.function, *names, **settings)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_bound"}

    def fact(self, name: str) -> Any:
        """Return a fact that the function was registered with."""
        return self.entry.facts[name]


def import_registering_modules(package: str, folders: Sequence[str]) -> None:
    """Import the modules in a package's folders that register components; the others may need slow imports."""
    for file in sorted(file for folder in folders for file in Path(folder).glob("*.py")):
        if REGISTERS.search(file.read_bytes()):
            import_module(f"{package}.{file.stem}")
