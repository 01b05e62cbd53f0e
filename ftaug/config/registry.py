"""Components: plain functions with a star. Before the star what the run hands in, after it what the YAML may set."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from ftaug.errors import Place, did_you_mean

Function = TypeVar("Function", bound=Callable[..., Any])

REGISTRIES: dict[tuple[str, str], Registry] = {}
"""By kind and modality; the modality of a kind that all share is "any"."""


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

    def settings(self) -> dict[str, inspect.Parameter]:
        """The keyword-only parameters: what the YAML may set."""
        parameters = inspect.signature(self.function).parameters.values()
        return {p.name: p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


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
        """Register a function under its own name; `facts` say what the run must know before it calls."""
        if function is None:
            return lambda function: self.register(function, **facts)
        self._add(function.__name__, function, facts, in_family=False)
        return function

    def family(self, names: Sequence[str] | str, **facts: Any) -> Callable[[Function], Function]:
        """Register a function under many names, or under every name with a prefix such as `timm/`."""

        def add(function: Function) -> Function:
            if isinstance(names, str):
                self._prefixes[names] = Entry(names, function, {**self.facts, **facts}, True)
            else:
                for name in names:
                    self._add(name, function, facts, in_family=True)
            return function

        return add

    def _add(self, name: str, function: Callable[..., Any], facts: Mapping[str, Any], in_family: bool) -> None:
        self._entries[name] = Entry(name, function, {**self.facts, **facts}, in_family)

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __contains__(self, name: str) -> bool:
        return name in self._entries or any(name.startswith(p) and name != p for p in self._prefixes)

    def __getitem__(self, name: str) -> Entry:
        """Return the entry; raises KeyError with the sentence that the user is to read."""
        if name in self._entries:
            return self._entries[name]
        for prefix, entry in self._prefixes.items():
            if name.startswith(prefix) and name != prefix:
                return Entry(name, entry.function, entry.facts, True)
        raise KeyError(f"no {self.kind} '{name}'{did_you_mean(name, self)}")


def registry(kind: str, modality: str) -> Registry:
    """The registry of a kind: the modality's own, or the one that all modalities share."""
    return REGISTRIES.get((kind, modality)) or REGISTRIES[kind, "any"]


@dataclass(frozen=True)
class Component:
    """A registered function with its settings bound. Pickles by name, compares by value, dumps back to YAML."""

    kind: str
    name: str
    settings: Mapping[str, Any]  # complete: defaults filled in
    modality: str = "any"
    origin: str = ""  # module (or plugin file) that registers the function; imported in a worker that lacks it
    place: Place | None = field(default=None, compare=False)

    @property
    def entry(self) -> Entry:
        """The registered function behind the name."""
        found = REGISTRIES.get((self.kind, self.modality))
        if found is None or self.name not in found:
            importlib.import_module(self.origin)
            found = REGISTRIES[self.kind, self.modality]
        return found[self.name]

    def __call__(self, *given: Any) -> Any:
        """Call the function with what the run hands in."""
        entry = self.entry
        return entry.function(entry.name, *given, **self.settings) if entry.in_family else entry.function(*given, **self.settings)

    def fact(self, name: str) -> Any:
        """What the function was registered with beside its code."""
        return self.entry.facts[name]
