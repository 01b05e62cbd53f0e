"""Text datasets from the standard library's documentation: English text without a download."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np

from ftaug.config.types import Count, CountOrZero
from ftaug.data.subsample import few_per_class
from ftaug.errors import MissingInput
from ftaug.interfaces.data import Task
from ftaug.text import dataset
from ftaug.text.datasets.in_memory import text_key
from ftaug.text.datasets.stdlib import Paragraph, paragraphs
from ftaug.text.types import Text

THEMES = {
    "concurrency": "asyncio multiprocessing threading concurrent queue sched selectors subprocess socketserver signal",
    "debugging": "pdb bdb inspect traceback trace profile cProfile pstats dis tracemalloc cmd code codeop pydoc timeit",
    "files": "pathlib os shutil tarfile zipfile gzip bz2 lzma tempfile _pyio posixpath ntpath genericpath fileinput "
    "glob fnmatch filecmp stat",
    "importing": "importlib pkgutil zipimport venv ensurepip sysconfig site modulefinder zipapp runpy",
    "logging": "logging",
    "mail": "email mailbox smtplib imaplib poplib nntplib mimetypes quopri",
    "numbers": "decimal _pydecimal fractions statistics random numbers bisect heapq",
    "testing": "unittest doctest",
    "web": "http urllib wsgiref cgi xmlrpc html webbrowser ftplib telnetlib",
    "xml": "xml",
}
THEME_OF = {module: theme for theme, modules in THEMES.items() for module in modules.split()}
SHARES = {"train": (0.0, 0.7), "val": (0.7, 0.85), "test": (0.85, 1.0)}
LONGEST = 80
"""Number of words from which on a pretraining text is complete."""


@dataclass(frozen=True)
class Documentation:
    """Texts labeled by theme, with the names of the documented objects."""

    sources: tuple[str, ...]
    texts: tuple[str, ...]
    targets: np.ndarray  # int64 (n,)
    task: Task
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def groups(self) -> np.ndarray:
        """Group ids, int64 (n,): texts that document the same object form a group."""
        return np.unique(self.sources, return_inverse=True)[1].astype(np.int64)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of Python's version, the texts and their classes."""
        digest = hashlib.sha256(platform.python_version().encode())
        for source, text, target in zip(self.sources, self.texts, self.targets.tolist(), strict=True):
            digest.update(f"\0{source}\0{text}\0{target}".encode())
        return digest.hexdigest()

    def read(self, index: int) -> Text:
        """Return the text."""
        return Text(self.texts[index])

    def key(self, index: int) -> str:
        """Return a digest of the text, as an object may have several texts."""
        return text_key(self.texts[index].encode())

    def name(self, index: int) -> str:
        """Return the name of the documented object."""
        return self.sources[index]


@dataset.register(tasks=("single_label",))
def docstrings(split: str, *, per_class: Count | None = None, subset_seed: CountOrZero = 0) -> Documentation:
    """About 5,500 paragraphs of the documentation of Python's standard library, labeled by theme (10 classes).

    Settings:
        per_class: use only that many texts of each class for training; validation and test stay whole
        subset_seed: which texts `per_class` chooses

    Classes are ten groups of modules: concurrency, debugging, files, importing, logging, mail, numbers, testing, web,
    xml. The docstrings are read from the sources of the Python that runs ftaug, which are not run; they depend on its
    version. The names of modules, classes and functions are masked by NAME, so that they do not give the class away;
    examples, tables and near-duplicates are left out. The splits, 70/15/15, go by a hash of the name of what is
    documented, so that its paragraphs are in the same split. Source: Python's documentation (PSF licence).
    """
    modules = frozenset(THEME_OF)
    selected = [
        paragraph
        for paragraph in paragraphs(modules, _masked_modules(), comments=False)
        if _in_split(paragraph.source, split)
    ]
    targets = np.array([list(THEMES).index(THEME_OF[paragraph.module]) for paragraph in selected], np.int64)
    if len(set(targets.tolist())) < len(THEMES):
        absent = next(theme for code, theme in enumerate(THEMES) if code not in targets)
        raise MissingInput(f"docstrings: this Python lacks the sources of {THEMES[absent].split()[0]}")
    if split == "train" and per_class is not None:
        subset = few_per_class("docstrings", targets, per_class, subset_seed)
        selected, targets = [selected[i] for i in subset], targets[subset]
    return _documentation(selected, targets, tuple(THEMES))


@dataset.register
def standard_library(split: str) -> Documentation:
    """Docstrings and comments of all of Python's standard library: some 18,000 texts to train an encoder on.

    They are read, masked and split as those of `docstrings`, none of whose texts for validation and test is among those
    for training here. A text may have several paragraphs. Its class is its module, which the objective `masked_tokens`
    does not look at. Source: Python's documentation and sources (PSF licence).
    """
    all_paragraphs = paragraphs(None, _masked_modules(), comments=True)
    classes = tuple(sorted({paragraph.module for paragraph in all_paragraphs}))
    selected = list(_concatenate([paragraph for paragraph in all_paragraphs if _in_split(paragraph.source, split)]))
    targets = np.array([classes.index(paragraph.module) for paragraph in selected], np.int64)
    return _documentation(selected, targets, classes)


def _documentation(selected: Sequence[Paragraph], targets: np.ndarray, classes: tuple[str, ...]) -> Documentation:
    sources, texts = zip(*selected, strict=True)
    notes = (f"from the documentation of Python {platform.python_version()}",)
    return Documentation(sources, texts, targets, Task(classes), notes)


def _masked_modules() -> frozenset[str]:
    """Return module names that would leak the class."""
    return frozenset(module.lower() for module in THEME_OF)


def _in_split(source: str, split: str) -> bool:
    low, high = SHARES[split]
    place = int.from_bytes(hashlib.sha256(source.encode()).digest()[:6]) / (1 << 48)
    return low <= place < high


def _concatenate(selected: Sequence[Paragraph]) -> Iterator[Paragraph]:
    """Concatenate consecutive paragraphs of the same object into texts of about LONGEST words."""
    for source, together in groupby(selected, key=lambda item: item.source):
        text = ""
        for paragraph in together:
            if text.count(" ") >= LONGEST:
                yield Paragraph(source, text)
                text = ""
            text = f"{text} {paragraph.text}".strip()
        yield Paragraph(source, text)
