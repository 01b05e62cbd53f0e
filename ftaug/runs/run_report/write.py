"""Write a report into a file, in the format that its suffix names."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from tempfile import TemporaryFile

from ftaug.config.strict_json import dumps
from ftaug.documents import html_report
from ftaug.documents.json_values import json_values
from ftaug.documents.markdown import MarkdownWriter
from ftaug.engine.system.storage import make_inside, replace, storage_errors
from ftaug.errors import ExperimentError, one_of
from ftaug.interfaces.document import Report

SUFFIXES = (".html", ".md", ".json")


def check_suffix(path: Path) -> None:
    """Raise ExperimentError unless the suffix names a format."""
    if path.suffix.lower() not in SUFFIXES:
        raise ExperimentError(f"{path}: must end in {one_of(SUFFIXES)}")


def check_writable(path: Path) -> None:
    """Create the folder of a file to write, and raise StorageError or RunFolderTaken if it cannot be written there.

    A report may take minutes to compute.
    """
    with storage_errors(f"{path}: cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with TemporaryFile(dir=path.parent):
            pass


def write(report: Report, path: Path) -> Path:
    """Write a report into an existing folder by one rename; return the path.

    Pictures of Markdown are written into the folder `NAME_files` beside it.
    """
    with storage_errors(f"{path}: cannot be written"):
        replace(path, _content(report, path).encode(errors="backslashreplace"))
    return path


def _content(report: Report, path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix == ".html":
        return html_report.page(report)
    if suffix == ".json":
        return dumps(json_values(report), indent=2) + "\n"
    writer = MarkdownWriter(f"{path.stem}_files")
    content = writer.write(report)
    if writer.files:
        folder = make_inside(path.parent / writer.folder)
        for name, picture in writer.files.items():
            replace(folder / name, picture)
    return content
