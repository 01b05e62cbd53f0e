"""Samples that `ftaug init` cannot read."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from ftaug.errors import BadData, FtaugError, printable

NAMED = 5
"""Number of unreadable samples that are named."""


def with_name(name: str, error: FtaugError) -> str:
    """Return the message of an error that names the sample."""
    return str(error) if name in str(error) else f"{name}: {error}"


def report_unreadable(broken: Sequence[str], readable: int, noun: str, target: Path) -> None:
    """Print the messages of the first samples that cannot be read; raises BadData if none can.

    `noun` is the plural of what the samples are called, `target` the experiment file that will read all of them.
    """
    if not readable:
        raise BadData(f"none of the {noun} checked can be read, such as {broken[0]}")
    if not broken:
        return
    lines = [f"not counted: {message}" for message in broken[:NAMED]]
    share = f"{len(broken)} of {readable + len(broken)} {noun} checked cannot be read"
    lines.append(f"{share}; to list all: ftaug inspect {shlex.quote(str(target))} --read")
    print(printable("\n".join(lines)), file=sys.stderr)
