"""Parse YAML to a plain tree, with line and column of every key and value."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Protocol, TextIO

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent, NodeEvent
from yaml.reader import ReaderError

from ftaug.errors import ExperimentError, MissingInput, Place, Problem

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_INTEGER = 2**63

Where = tuple[str | int, ...]
"""The way to a value from the root: keys and list indices."""


class Places(NamedTuple):
    """Source places of a value and its key; the same for list items."""

    key: Place
    value: Place


@dataclass(frozen=True)
class Document:
    """A parsed experiment file with source places."""

    tree: dict[str, Any]
    places: dict[Where, Places]
    file: str

    def place(self, where: Where, *, of_key: bool = False) -> Place:
        """Return the source place of a value or its key, or of the nearest container if it is not in the file."""
        for end in range(len(where), 0, -1):
            if places := self.places.get(where[:end]):
                return places.key if of_key or end < len(where) else places.value
        return Place(self.file)


STANDARD_INPUT = "-"


def read(path: str | Path) -> str:
    """Read the text of an experiment file, or of standard input for `-`; raises MissingInput or ExperimentError."""
    if str(path) == STANDARD_INPUT:
        return decode(_standard_input(sys.stdin), "standard input")
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            what = "a folder, not a file" if path.is_dir() else "not a regular file"
            raise MissingInput(Problem(f"is {what}", Place(str(path))))
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise MissingInput(Problem("no such file", Place(str(path)))) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MissingInput(Problem(f"cannot be read: {reason}", Place(str(path)))) from None
    return decode(data, str(path))


@lru_cache(maxsize=1)
def _standard_input(stream: TextIO) -> bytes:
    """Read standard input, cached as it can be read only once."""
    return stream.buffer.read(MAX_BYTES + 1)


def decode(data: bytes, file: str) -> str:
    """Decode UTF-8, with or without a byte-order mark."""
    if len(data) > MAX_BYTES:
        raise ExperimentError(Problem("is larger than 1 MiB; expected an experiment file", Place(file)))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ExperimentError(
            Problem(f"is not UTF-8 text: invalid byte at offset {error.start}", Place(file))
        ) from None
    if (offset := data.find(b"\0")) >= 0:
        raise ExperimentError(Problem(f"is not UTF-8 text: byte {offset} is NUL", Place(file)))
    return text


def parse(text: str, file: str) -> Document:
    """Parse an experiment file; raises ExperimentError with all YAML problems."""
    document, problems = scan(text, file)
    if problems:
        raise ExperimentError(*problems)
    return document


def scan(text: str, file: str) -> tuple[Document, list[Problem]]:
    """Parse as far as possible; return the document and its problems. Raises ExperimentError if nothing is readable."""
    reader = _Reader(file)
    if len(text) > MAX_BYTES:
        raise ExperimentError(Problem("is larger than 1 MiB; expected an experiment file", Place(file)))
    tree = reader.document(text.removeprefix("\ufeff"))
    if not isinstance(tree, dict):
        expected = "expected one mapping, such as `backbone: resnet18`"
        got = "nothing" if tree is None else "a list" if isinstance(tree, list) else "a single value"
        place = Place(file) if tree is None else reader.places[()].value
        raise ExperimentError(*reader.problems, Problem(f"{expected}; got {got}", place))
    return Document(tree, reader.places, file), reader.problems


def parse_value(text: str, file: str) -> Any:
    """Parse the value of an override; raises ExperimentError without line and column.

    In a single line `#` begins no comment: a plain text keeps it, and beside anything else it is an error.
    """
    reader = _Reader(file)
    try:
        value = reader.document(text)
        problems = reader.problems
        if not problems and "\n" not in text and _holds_comment(text):
            if isinstance(value, dict | list) or text.lstrip()[0] in "\"'":
                problems.append(Problem("everything after # would be ignored; quote a string that contains #"))
            value = text.strip()
            reader.refuse_odd_text(value, Place(file))
    except ExperimentError as error:
        problems = list(error.problems)
    if problems:
        raise ExperimentError(*(Problem(p.message, Place(file)) for p in problems))
    return value


def _holds_comment(text: str) -> bool:
    """Whether YAML would leave a part of the text out: only comments stand between tokens besides white space."""
    end = 0
    for token in yaml.scan(text, Loader=_QUICK):
        if "#" in text[end : token.start_mark.index]:
            return True
        end = max(end, token.end_mark.index)
    return False


_QUICK = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where there is one; it accepts some tabs that the parser in Python refuses."""
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"([-+]?)\.(?:(inf|Inf|INF)|(nan|NaN|NAN))")


def scalar(text: str) -> Any:
    """Resolve a plain scalar by the YAML 1.2 core schema; raises ValueError for numbers out of range."""
    if _NULL.fullmatch(text):
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INTEGER.fullmatch(text):
        number = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10)) if len(text) <= 25 else MAX_INTEGER
        if abs(number) >= MAX_INTEGER:
            raise ValueError(f"the number {text[:20]}… is too large")
        return number
    if _FLOAT.fullmatch(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise ValueError(f"the number {text[:20]} is too large")
        return value
    if match := _SPECIAL.fullmatch(text):
        return float("nan") if match[3] else float(f"{match[1]}inf")
    return text


def _events(text: str) -> Iterator[yaml.Event]:
    """YAML's events: by libyaml, which is quick, or by the parser in Python, whose errors are those that are shown.

    Those of a document that is nested too deep end soon after it is.
    """
    events: list[yaml.Event] = []
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_QUICK):
            events.append(event)
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > MAX_DEPTH + 2:
                break
    except (yaml.YAMLError, ValueError, OverflowError):
        return iter(yaml.parse(text, Loader=yaml.SafeLoader))
    return iter(events)


class _Mark(Protocol):
    """A position of PyYAML, counted from 0."""

    line: int
    column: int


@dataclass
class _Reader:
    """Builds the tree from YAML's events, so that nothing is ever constructed but the seven plain types."""

    file: str
    places: dict[Where, Places] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def document(self, text: str) -> Any:
        """Build the single document of a text; None if empty."""
        try:
            events = _events(text)
            next(events)  # the start of the stream
            if isinstance(next(events), yaml.StreamEndEvent):
                return None
            tree = self._value(next(events), events, ())
            next(events)  # the end of the document
            if isinstance(further := next(events), yaml.DocumentStartEvent):
                self._fail("expected one document; a second one starts here", further.start_mark)
            return tree
        except ReaderError as error:
            before = text[: error.position]
            line, column = before.count("\n") + 1, error.position - before.rfind("\n")
            message = f"the character U+{ord(text[error.position]):04X} is not allowed"
            raise ExperimentError(*self.problems, Problem(message, Place(self.file, line, column))) from None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise ExperimentError(*self.problems, Problem(_plain_words(error), self._place(mark))) from None
        except (ValueError, OverflowError):  # chr() of an escape such as "\UFFFFFFFF"
            raise ExperimentError(*self.problems, Problem("invalid escape sequence", Place(self.file))) from None

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], where: Where) -> Any:
        assert isinstance(event, NodeEvent)
        if where not in self.places:
            place = self._place(event.start_mark)
            self.places[where] = Places(place, place)
        if len(where) > MAX_DEPTH:
            self._fail(f"nested more than {MAX_DEPTH} levels deep", event.start_mark)
        self._refuse_extras(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                items.append(self._value(item, events, (*where, len(items))))
            return items
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, where)
        return None  # an alias, already refused

    def _mapping(self, events: Iterator[yaml.Event], where: Where) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            place = self._place(event.start_mark)
            if not isinstance(event, yaml.ScalarEvent):
                self._fail("a key must be a string", event.start_mark)
            self._refuse_extras(event)
            key = event.value
            if not key:
                self._fail("a key is missing before the colon", event.start_mark)
            self.refuse_odd_text(key, event.start_mark)
            key = key.encode(errors="backslashreplace").decode()  # pydantic reads no half of a surrogate pair
            value_event = next(events)
            if key in mapping:
                first = self.places[*where, key].key
                self.problems.append(Problem(f"the key '{key}' is already set on line {first.line}", place))
                self._value(value_event, events, (*where, key, "again"))
                continue
            self.places[*where, key] = Places(place, self._place(value_event.start_mark))
            mapping[key] = self._value(value_event, events, (*where, key))
        return mapping

    def _scalar(self, event: yaml.ScalarEvent) -> Any:
        self.refuse_odd_text(event.value, event.start_mark)
        if event.style:
            return event.value
        try:
            return scalar(event.value)
        except ValueError as error:
            self.problems.append(Problem(str(error), self._place(event.start_mark)))
            return None

    def refuse_odd_text(self, text: str, at: Place | _Mark | None) -> None:
        """Refuse control characters and variables."""
        if odd := re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", text):
            self.problems.append(Problem(f"the character U+{ord(odd[0]):04X} is not allowed", self._place_of(at)))
        if "${" in text:
            words = "variables such as ${HOME} are not expanded in an experiment file; write the value"
            self.problems.append(Problem(words, self._place_of(at)))

    def _place_of(self, at: Place | _Mark | None) -> Place:
        return at if isinstance(at, Place) else self._place(at)

    def _refuse_extras(self, event: NodeEvent) -> None:
        """Refuse tags, anchors and aliases."""
        tag = getattr(event, "tag", None)
        if not event.anchor and not tag:
            return
        place = self._place(event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            self.problems.append(
                Problem(f"aliases such as *{event.anchor} are not supported; write the value again", place)
            )
        elif event.anchor:
            self.problems.append(Problem(f"anchors such as &{event.anchor} are not supported", place))
        if tag:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self.problems.append(Problem(f"tags such as {shown} are not supported; write the plain value", place))

    def _place(self, mark: _Mark | None) -> Place:
        return Place(self.file, mark.line + 1, mark.column + 1) if mark else Place(self.file)

    def _fail(self, message: str, mark: _Mark | None) -> NoReturn:
        raise ExperimentError(*self.problems, Problem(message, self._place(mark)))


_PLAIN_WORDS = {
    "found character '\\t' that cannot start any token": "a tab cannot indent; use spaces",
    "mapping values are not allowed here": "unexpected colon; quote a string that contains a colon",
    "could not find expected ':'": "expected a colon after this key",
    "expected <block end>, but found '<block mapping start>'": "this line is indented differently from those above it",
    "expected <block end>, but found '<block sequence start>'": "this line is indented differently from those above it",
    "expected <block end>, but found '-'": "unexpected list item",
    "expected <block end>, but found '<scalar>'": "unexpected string; are quotes missing?",
    "found unexpected end of stream": "unterminated quoted string",
    "did not find expected <document start>": "unexpected second document",
}


def _plain_words(error: yaml.MarkedYAMLError) -> str:
    """Translate a parser error to plain words."""
    problem = error.problem or error.context or "not YAML"
    if problem in _PLAIN_WORDS:
        return _PLAIN_WORDS[problem]
    if re.search("but (got|found) '<(stream|document) end>'", problem):
        return "a bracket is not closed"
    return f"not YAML: {problem}"
