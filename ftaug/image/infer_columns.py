"""Infer the image column of a table, and the root folder of its paths."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ftaug.data.tables import cells, infer_columns
from ftaug.data.tables.delimited import DELIMITERS
from ftaug.data.tables.infer_columns import Content, Targets
from ftaug.data.tables.rows import rows
from ftaug.errors import BadData, ExperimentError, MissingInput
from ftaug.image.datasets.index import SUFFIXES

READ = tuple(suffix.decode() for suffix in SUFFIXES)
# fmt: off
UNREAD = (
    ".heic", ".heif", ".hif", ".avif", ".jxl", ".jp2", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2",
    ".svg", ".psd", ".pdf", ".dcm", ".exr", ".hdr",
)
# fmt: on
"""Suffixes of image formats that are not supported."""
IMAGES = ("path", "image", "image_path", "file", "file_name", "filename", "filepath", "img", "picture", "photo")
FOLDERS_TRIED = 64  # beside a table


@dataclass(frozen=True)
class Guess:
    """Inferred roles of a table's columns."""

    image: str
    root: Path | None  # root folder of the paths; None: the table's own folder
    targets: Targets


def rows_of_pictures(path: Path) -> int:
    """Return how many of the sampled rows name an image; 0 if the table rather holds texts."""
    content = infer_columns.look(path)
    if (column := picture_column(content)) is None:
        return 0 if _without_ending(path, content) is None else max(map(len, content.values()))
    names = content[column] or [column]  # without rows: a table without a header
    missing = next(_roots(path, infer_columns.spread(names)), None) is None
    web = len(content) > 2 and infer_columns.share("://" in name for name in names) > 0.5
    if missing and (web or set(infer_columns.wordy(content)) - {column}):
        return 0
    return len(names)


def guess(path: Path) -> Guess:
    """Infer the columns of an image table; raises BadData, MissingInput or ExperimentError if this is ambiguous."""
    content = infer_columns.look(path)
    column = picture_column(content)
    if column is None:
        if (pair := _without_ending(path, content)) is not None:
            name, picture = pair
            raise BadData(
                f"{path}: column '{name}' names pictures without their ending, such as {picture}; write the paths with "
                "it into the table"
            )
        there = ", ".join(f"'{name}'" for name in content)
        raise ExperimentError(f"{path}: no column holds paths of pictures ({', '.join(READ)}); the columns are {there}")
    _check_header(path, content)
    names = [name for name in content[column] if name]
    check_formats(f"{path}: column '{column}'", names)
    root = _root(path, column, names)
    targets = infer_columns.guess_targets(content, [name for name in content if _names_pictures(content[name])])
    if targets.label is None and targets.target is None:
        there = ", ".join(f"'{name}'" for name in content)
        raise ExperimentError(
            f"{path}: cannot tell which column holds the label; the columns are {there}: rename it to label, "
            "or write the file yourself: data: {train: {image_table: {path: …, image: …, label: …}}}"
        )
    return Guess(column, root, targets)


def picture_column(content: Content) -> str | None:
    """Return the column of image paths: by its name, or else the first; without rows, headers count as values."""
    columns = [name for name, values in content.items() if _names_pictures(values or [name])]
    return next(iter([*infer_columns.named(columns, IMAGES), *columns]), None)


def check_formats(where: str, names: Sequence[str]) -> None:
    """Raise BadData, with a command to convert them, if no image has a supported format."""
    unread = Counter(suffix for name in names if (suffix := Path(name).suffix).lower() in UNREAD)
    if unread and not any(name.lower().endswith(READ) for name in names):
        (suffix, count), *_ = unread.most_common(1)
        raise BadData(
            f"{where} holds {count:,} {suffix} file{'s' * (count > 1)}, an unsupported format; supported: "
            f"{', '.join(READ)}: convert them, for example with ImageMagick in each folder: "
            f"magick mogrify -format jpg '*{suffix}'"
        )


def _names_pictures(values: Sequence[str]) -> bool:
    return infer_columns.share(value.lower().endswith((*READ, *UNREAD)) for value in values) > 0.5


def _check_header(path: Path, content: Content) -> None:
    """Raise BadData for a table without a header, whose column names are an image path and its label."""
    pictures = [
        name for name, values in content.items() if _names_pictures([name]) and _names_pictures(values or [name])
    ]
    if path.suffix.lower() in DELIMITERS and pictures:
        names = ["path" if name in pictures[:1] else "label" for name in content]
        raise infer_columns.headerless(path, "the path of a picture among it", names, [*content])


def _root(path: Path, column: str, names: Sequence[str]) -> Path | None:
    """Return the root folder of the paths, None for the table's own; raises MissingInput if there is none."""
    tried = infer_columns.spread(names)
    if (root := next(_roots(path, tried), None)) is None:
        if "://" in tried[0]:
            raise MissingInput(f"{path}: column '{column}' holds web addresses such as {tried[0]}; download them first")
        raise MissingInput(
            f"{path}: column '{column}' names pictures such as {tried[0]}, which are not below {path.parent}: move the "
            "table to the folder that their paths start from, or write the file yourself: "
            "data: {train: {image_table: {path: …, root: …, label: …}}}"
        )
    if all(Path(name).is_absolute() for name in tried):
        return _common_folder(cells.text(value) for _, (value,) in rows("ftaug init", path, [column]))
    return None if root == path.parent else root


def _roots(path: Path, names: Sequence[str]) -> Iterator[Path]:
    """Yield the folders at or beside a table that contain one of the images, the table's own first."""
    beside = sorted(entry for entry in path.parent.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    for folder in (path.parent, *beside[:FOLDERS_TRIED], path.parent.resolve().parent, Path.cwd()):
        if any(infer_columns.is_file(folder, name) for name in names):
            yield folder


def _without_ending(path: Path, content: Content) -> tuple[str, Path] | None:
    """Return a column with image paths that lack their suffix, and one of the images; None without such a column."""
    if infer_columns.wordy(content):
        return None
    for column, values in content.items():
        names = [name for name in infer_columns.spread(values) if name]
        for ending in READ:
            whole = [f"{name}{ending}" for name in names]
            for root in _roots(path, whole):
                return column, next(Path(root, name) for name in whole if infer_columns.is_file(root, name))
    return None


def _common_folder(paths: Iterable[str]) -> Path:
    """Return the deepest folder that contains all files, given by absolute paths."""
    folders = {os.path.dirname(path) for path in paths if path.startswith("/")}  # noqa: PTH120 - many, and quick
    return Path(os.path.commonpath(folders))
