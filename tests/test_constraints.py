"""The files of constraints: the lowest versions that pyproject.toml allows, and those last tested."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def requirements():
    """What ftaug and its extras need, but for the tools of development."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [needed for name, needed in project["optional-dependencies"].items() if name not in ("all", "dev")]
    texts = [*project["dependencies"], *(text for needed in extras for text in needed)]
    return [Requirement(text) for text in texts]


def pinned(name):
    """The version of each package in a file of constraints."""
    lines = [line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")]
    return {canonicalize_name(package): version for package, version in (line.split("==") for line in lines)}


def test_the_lowest_versions_are_those_of_pyproject():
    bounds = {
        canonicalize_name(needed.name): next(one.version for one in needed.specifier if one.operator == ">=")
        for needed in requirements()
    }
    assert pinned("constraints-lowest.txt") == bounds


@pytest.mark.parametrize("needed", requirements(), ids=str)
def test_the_last_tested_versions_have_every_dependency_within_its_bounds(needed):
    assert pinned("constraints.txt")[canonicalize_name(needed.name)] in needed.specifier
