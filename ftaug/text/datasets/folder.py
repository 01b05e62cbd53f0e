"""Text classification dataset from one folder per class."""

from __future__ import annotations

import os
from pathlib import Path

from ftaug.data import split_groups
from ftaug.data.folders.classes import class_folders
from ftaug.data.folders.scan import Kind
from ftaug.data.folders.settings import ClassesPath, OutsideLinks
from ftaug.data.packed import Packed
from ftaug.errors import BadData, MissingInput, Problem
from ftaug.interfaces.data import Task
from ftaug.text import dataset
from ftaug.text.datasets.in_memory import SHOWN, Collected, Empty, Paths, TextSamples
from ftaug.text.types import SUFFIXES, decoded

TEXTS = Kind("text", SUFFIXES)


@dataset.register(tasks=("single_label",))
def text_folder(
    split: str, *, path: ClassesPath, outside_links: OutsideLinks = False, empty: Empty = "error"
) -> TextSamples:
    """Texts in one folder per class: `path/good/1.txt`, `path/bad/2.txt`; deeper folders belong to their class.

    Settings:
        empty: error, or skip to leave out files of nothing but white space

    Classes are in the order of their numbers, or of their names' bytes, as files are. The same text in several files is
    on one side of a split. Each .txt file is one text in UTF-8; all are held in
    memory. Hidden and system files are ignored, links back into a folder already read are skipped; the notes count
    both. Raises BadData naming the files that cannot be used.
    """
    contents = class_folders("text_folder", split, path, TEXTS, outside_links=outside_links)
    texts = _read(path, contents.paths)
    names = [os.fsdecode(contents.paths[place]) for place in texts.empty[:SHOWN]]
    left_out = texts.left_out(str(path), names, empty)
    targets = contents.targets[texts.taken]
    empty_classes = [f"'{name}'" for code, name in enumerate(contents.classes) if code not in targets]
    if empty_classes and split == "train":
        raise BadData(f"{path}: all texts of {', '.join(empty_classes)} are empty")
    texts.digest.update(contents.fingerprint.encode())
    names_of = Paths(str(path), contents.paths, texts.taken)
    task = Task(tuple(contents.classes))
    digest, notes, groups = texts.digest.hexdigest(), (*contents.notes, *left_out), split_groups.equal(texts.hashes)
    return TextSamples(texts.parts, names_of, targets, task, digest, notes, groups, keys=texts.keys)


def _read(root: Path, paths: Packed) -> Collected:
    """Read all files; raises BadData naming the first few invalid ones, and MissingInput."""
    texts = Collected(1)
    bad: list[Problem] = []
    for place in range(len(paths)):
        file = Path(root, os.fsdecode(paths[place]))
        try:
            texts.take(place, [decoded(file.read_bytes())])
        except BadData as error:
            bad.append(Problem(f"{file}: {error}"))
        except OSError as error:
            raise MissingInput(f"{file}: cannot be read: {error.strerror}") from None
    if bad:
        rest = len(bad) - SHOWN
        raise BadData(*bad[:SHOWN], *([f"{root}: {rest:,} more files like these"] if rest > 0 else []))
    return texts
