"""Extract docstrings and comments from the sources of the standard library, by parsing, without importing them."""

from __future__ import annotations

import ast
import re
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from ftaug.errors import MissingInput

MASK = "NAME"
LEFT_OUT = {"site-packages", "dist-packages", "__phello__"}
FEWEST_WORDS, FEWEST_LETTERS = 6, 0.65
SHINGLE, ALIKE = 3, 0.6

_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")  # fields of ast nodes that hold nested statements
_WORD = re.compile(r"[A-Za-z]{2,}")
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\(\))?")
_QUOTED = re.compile(r"(?::\w+:)?`{1,2}[^`\n]+`{1,2}|'[A-Za-z_][\w.]*(?:\(\))?'")
_SPELT_AS_NAME = re.compile(r"\w_|_\w|\w\.\w|\(\)|[a-z][A-Z]|[A-Z]{2}[a-z]|\d")


class Paragraph(NamedTuple):
    """A paragraph of documentation."""

    source: str  # documented object: asyncio.events.Handle.cancel; of a comment, its line: asyncio.events:123
    text: str

    @property
    def module(self) -> str:
        """The top-level module or package."""
        return re.split(r"[.:]", self.source, maxsplit=1)[0]


@lru_cache(maxsize=4)
def paragraphs(modules: frozenset[str] | None, masked: frozenset[str], comments: bool) -> tuple[Paragraph, ...]:
    """Return deduplicated paragraphs of the modules (None: all), docstrings before comments, masked modules first.

    A near-duplicate of an earlier paragraph is dropped, so that earlier paragraphs do not depend on later ones.

    Masked by NAME: the names of `masked` modules; the module, classes and functions of the same file; and words
    spelled as identifiers. Raises MissingInput.
    """
    root = Path(sysconfig.get_path("stdlib"))
    files = [path for path in sorted(root.rglob("*.py")) if _is_wanted(path.relative_to(root), modules)]
    if not files:
        raise MissingInput(f"{root}: this Python lacks the sources of its standard library")
    candidates = [paragraph for path in files for paragraph in _in_file(path, root, masked, comments)]
    return tuple(
        _deduplicated(
            sorted(candidates, key=lambda candidate: (":" in candidate.source, candidate.module not in masked))
        )
    )


def _is_wanted(path: Path, modules: frozenset[str] | None) -> bool:
    if LEFT_OUT & set(path.parts):
        return False
    return modules is None or path.parts[0].removesuffix(".py") in modules


def _in_file(path: Path, root: Path, masked: frozenset[str], comments: bool) -> Iterator[Paragraph]:
    """Yield the paragraphs of a source file; none if it cannot be parsed."""
    module = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    try:
        source = path.read_text(encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escape sequences in old sources
            tree = ast.parse(source)
    except (SyntaxError, ValueError, OSError):
        return
    documented = list(_documented(tree, module))
    local_names = {*module.split("."), *(name.rpartition(".")[2] for name, _ in documented)}
    texts = [(name, text) for name, text in documented if text]
    for name, text in [*texts, *(_comments(source, module) if comments else ())]:
        for part in re.split(r"\n\s*\n", text):
            plain = _masked(part, local_names, masked)
            if _is_prose(part, plain):
                yield Paragraph(name, plain)


def _documented(node: ast.AST, name: str) -> Iterator[tuple[str, str | None]]:
    """Yield the name and docstring of every module, class and function below a node."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    if isinstance(node, (ast.Module, *kinds)):
        yield name, ast.get_docstring(node)
    for child in (child for part in _BLOCKS for child in getattr(node, part, ())):
        yield from _documented(child, f"{name}.{child.name}" if isinstance(child, kinds) else name)


def _comments(source: str, module: str) -> Iterator[tuple[str, str]]:
    """Yield full-line comment blocks, each with module and line number."""
    for block in re.finditer(r"(?:^[ \t]*#(?!!).*\n)+", source, re.MULTILINE):
        line = source.count("\n", 0, block.start()) + 1
        yield f"{module}:{line}", re.sub(r"^[ \t]*#+", "", block.group(), flags=re.MULTILINE)


def _masked(text: str, local_names: set[str], masked: frozenset[str]) -> str:
    """Return the text in one line, with identifiers masked."""

    def name(match: re.Match[str]) -> str:
        word = match.group()
        known = word in local_names or word.lower() in masked or _SPELT_AS_NAME.search(word)
        return MASK if known else word

    return " ".join(_NAME.sub(name, _QUOTED.sub(MASK, text)).split())


def _is_prose(text: str, masked: str) -> bool:
    """Whether a paragraph is prose: no doctest, no table, not too short."""
    words = [word for word in _WORD.findall(masked) if word != MASK]
    letters = sum(map(len, words)) / max(1, len(masked.replace(" ", "").replace(MASK, "")))
    return ">>>" not in text and len(words) >= FEWEST_WORDS and letters >= FEWEST_LETTERS


def _deduplicated(candidates: Iterable[Paragraph]) -> Iterator[Paragraph]:
    """Drop near-duplicates: paragraphs that hold an earlier one, or share most word trigrams (shingles) with it."""
    sizes: list[int] = []
    places: dict[tuple[str, ...], list[int]] = {}
    for number, paragraph in enumerate(candidates):
        words = _WORD.findall(paragraph.text.replace(MASK, "").lower())
        shingles = {tuple(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)}
        shared: dict[int, int] = {}
        for shingle in shingles:
            for earlier in places.get(shingle, ()):
                shared[earlier] = shared.get(earlier, 0) + 1
        sizes.append(len(shingles))
        if any(count >= min(ALIKE * len(shingles), sizes[earlier]) for earlier, count in shared.items()):
            continue
        for shingle in shingles:
            places.setdefault(shingle, []).append(number)
        yield paragraph
