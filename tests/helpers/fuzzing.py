"""Damaged inputs for every reader: targets, a seeded mutation of their corpora, and what counts as a finding."""

import contextlib
import gc
import io
import json
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np

from ftaug.errors import FtaugError, as_known

NASTY = [
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[2J", b"\r", b"\n", b"\t", b'"', b"'", b"{", b"}", b"[", b"]"),
    *(b"-1", b"0", b"1e999", b"NaN", b"Infinity", b"null", b"true", b"9" * 400, b"9223372036854775808", b"1e-400"),
    *(b"../../etc/passwd", b"/dev/zero", b"!!python/object/apply:os.system", b"&a [*a]", b"%s%n", b"<script>", b": "),
    *(b"[" * 2000, b'{"a":' * 2000, b"\xed\xa0\x80", "é\u202e\u0301".encode(), b"\\ud800", b"," * 300, b"#"),
]
"""What has broken parsers: controls, numbers out of range, references, brackets without end, broken UTF-8."""
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
ALLOWED = {2, 65, 66, 73}
"""Exit codes of a wrong input."""
SECONDS, WAITED = 10, 20
"""CPU time of an input, and how many times as long it may wait, as for a pipe that nobody writes to."""


@dataclass(frozen=True)
class Target:
    """A reader: valid inputs to begin with, and the reading of one, which raises FtaugError or succeeds."""

    corpus: Sequence[bytes]
    read: Callable[[bytes], object]


@dataclass(frozen=True)
class Finding:
    """An input that raised what the user should not see, or took too long."""

    data: bytes
    place: str  # exception and innermost frame of ftaug: the same for findings of one cause
    text: str


def mutated(corpus: Sequence[bytes], generator: np.random.Generator) -> bytes:
    """Change an entry of a corpus in one to four places."""
    data = corpus[generator.integers(len(corpus))]
    for _ in range(generator.integers(1, 5)):
        data = CHANGES[generator.integers(len(CHANGES))](data, corpus, generator)
    return data


def _span(data: bytes, generator: np.random.Generator) -> slice:
    start = int(generator.integers(len(data) + 1))
    return slice(start, start + int(generator.integers(1, 2 + min(64, len(data)))))


def _flip(data: bytes, corpus: Sequence[bytes], generator: np.random.Generator) -> bytes:
    if not data:
        return b"\x01"
    changed = bytearray(data)
    changed[generator.integers(len(data))] ^= 1 << int(generator.integers(8))
    return bytes(changed)


def _delete(data: bytes, corpus: Sequence[bytes], generator: np.random.Generator) -> bytes:
    span = _span(data, generator)
    return data[: span.start] + data[span.stop :]


def _repeat(data: bytes, corpus: Sequence[bytes], generator: np.random.Generator) -> bytes:
    span = _span(data, generator)
    return data[: span.stop] + data[span] * int(generator.integers(1, 20)) + data[span.stop :]


def _insert(data: bytes, corpus: Sequence[bytes], generator: np.random.Generator) -> bytes:
    place = int(generator.integers(len(data) + 1))
    return data[:place] + NASTY[generator.integers(len(NASTY))] + data[place:]


def _truncate(data: bytes, corpus: Sequence[bytes], generator: np.random.Generator) -> bytes:
    return data[: generator.integers(len(data) + 1)]


def _splice(data: bytes, corpus: Sequence[bytes], generator: np.random.Generator) -> bytes:
    other = corpus[generator.integers(len(corpus))]
    return data[: generator.integers(len(data) + 1)] + other[generator.integers(len(other) + 1) :]


def _number(data: bytes, corpus: Sequence[bytes], generator: np.random.Generator) -> bytes:
    numbers = list(NUMBER.finditer(data[:100_000]))
    if not numbers:
        return data
    number = numbers[generator.integers(len(numbers))]
    return data[: number.start()] + NASTY[generator.integers(len(NASTY))] + data[number.end() :]


def _swap_lines(data: bytes, corpus: Sequence[bytes], generator: np.random.Generator) -> bytes:
    lines = data.split(b"\n")
    first, second = generator.integers(len(lines), size=2)
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


def _json_value(data: bytes, corpus: Sequence[bytes], generator: np.random.Generator) -> bytes:
    """Replace or remove a value anywhere in a JSON file, or in a line of JSON Lines."""
    lines = data[1:].split(b"\n")
    try:
        tree, row = json.loads(data[1:]), None
    except (ValueError, RecursionError):
        row = int(generator.integers(len(lines)))
        try:
            tree = json.loads(lines[row])
        except (ValueError, RecursionError):
            return data
    places = list(_places(tree))
    if not places:
        return data
    holder, key = places[generator.integers(len(places))]
    if generator.random() < 0.2:
        del holder[key]
    else:
        holder[key] = JSON_VALUES[generator.integers(len(JSON_VALUES))]
    changed = json.dumps(tree).encode()
    return data[:1] + (changed if row is None else b"\n".join([*lines[:row], changed, *lines[row + 1 :]]))


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Each value inside a JSON value: what holds it, and its key."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield tree, key
        yield from _places(value)


JSON_VALUES: list[Any] = [None, True, -1, 0, 10**18, 1.5, 1e308, "", "x", "../../x", "\x1b[2J", [], [[]], {}, {"a": 1}]
CHANGES = (_flip, _delete, _repeat, _insert, _truncate, _splice, _number, _swap_lines, _json_value)


class TooSlow(BaseException):
    """Reading took too long; no handler of ordinary exceptions takes it."""


def finding(target: Target, data: bytes) -> Finding | None:
    """Read one input; return what the user should not have seen."""

    def stop(number: int, frame: object) -> None:
        raise TooSlow(f"longer than {SECONDS} seconds")

    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of CPU time: others may be using the cores
    signal.alarm(WAITED * SECONDS)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            target.read(data)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        known = error if isinstance(error, FtaugError) else as_known(error) if isinstance(error, Exception) else None
        if known is None or known.exit_code not in ALLOWED:
            return Finding(data, _place(error), "".join(traceback.format_exception(error)))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
    return None


def _place(error: BaseException) -> str:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/ftaug/" in f.filename]
    innermost = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "outside"
    return f"{type(error).__name__} at {innermost}"


def findings(target: Target, count: int, seed: int) -> Iterator[Finding]:
    """Read so many mutated inputs; yield the first finding of each cause."""
    generator = np.random.default_rng(seed)
    seen: set[str] = set()
    for number in range(count):
        data = target.corpus[number] if number < len(target.corpus) else mutated(target.corpus, generator)
        found = finding(target, data)
        if found is not None and found.place not in seen:
            seen.add(found.place)
            yield found


PARSERS = ("ftaug.", "yaml.", "json.", "csv", "PIL.", "safetensors.")


def _is_parser(function: FunctionType) -> bool:
    """Whether the lines of a function guide the search: those of all of torch take minutes to count."""
    return (function.__module__ or "").startswith(PARSERS)


def guided(target: Target, count: int, corpus_folder: Path) -> None:
    """Read mutated inputs guided by the lines that they reach, with atheris (libFuzzer); ends the process."""
    import atheris

    for number, data in enumerate(target.corpus):
        (corpus_folder / f"start-{number}").write_bytes(data)

    def one(data: bytes) -> None:
        found = finding(target, data)
        if found is not None:
            print(found.text, file=sys.stderr)
            raise RuntimeError(found.place)

    for function in [found for found in gc.get_objects() if isinstance(found, FunctionType) and _is_parser(found)]:
        atheris.instrument_func(function)
    atheris.Setup(["fuzz", f"-runs={count}", "-max_len=65536", "-rss_limit_mb=4096", str(corpus_folder)], one)
    atheris.Fuzz()
