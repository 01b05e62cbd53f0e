"""A Python with a few packages and nothing else, as on a machine that this package was never installed on."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement


def with_requirements(names: Sequence[str]) -> Iterator[Distribution]:
    """The installed distributions of these names and all that they require."""
    waiting, seen = list(names), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        yield found
        requirements = (Requirement(line) for line in found.requires or ())
        waiting += [r.name for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]


def link_packages(folder: Path, names: Sequence[str]) -> None:
    """Fill a folder with links to what these distributions, and those that they require, have installed."""
    folder.mkdir(exist_ok=True)
    for found in with_requirements(names):
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            link = folder / top
            if not link.is_symlink():
                link.symlink_to(Path(str(found.locate_file(top))))


def run_clean(packages: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python, without its own site-packages, on the packages in a folder."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        env=environment | {"PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
    )
