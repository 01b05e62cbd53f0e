"""The table of faults names tests that are there, and a reason where there is none."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [line for line in (ROOT / "docs" / "faults.md").read_text().splitlines() if re.match(r"\| (?!fault \|)", line)]


@cache
def decorators_of(file: str) -> dict[str, list[str]]:
    """The tests of a file with their decorators, as source text."""
    tree = ast.parse((ROOT / file).read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return {function.name: [ast.unparse(each) for each in function.decorator_list] for function in functions}


def problems(row: str) -> list[str]:
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    if len(cells) != 3:
        return [f"{len(cells)} cells"]
    named = re.findall(r"`(tests/\S+\.py)::(test_\w+)`( \(slow\))?", cells[2])
    wrong = [] if named or re.match("Not applicable: |Not tested: ", cells[2]) else ["neither a test nor a reason"]
    for file, name, slow in named:
        if not (ROOT / file).exists() or name not in decorators_of(file):
            wrong.append(f"there is no {file}::{name}")
        elif slow and "mark.slow" not in str(decorators_of(file)[name]):
            wrong.append(f"{name} is not slow")
        elif not slow and "pytest.mark.slow" in decorators_of(file)[name]:
            wrong.append(f"{name} is slow")
    return wrong


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split(" | ")[0].strip("| ")[:40])
def test_every_fault_has_a_test_or_a_reason(row):
    assert problems(row) == []


def test_every_row_is_seen():
    assert len(ROWS) >= 100
    control = "`tests/test_faults.py::test_every_row_is_seen`"
    assert problems(f"| a | 65 | {control} |") == []
    assert problems("| a | 65 | `tests/test_faults.py::test_nothing` |") == [
        "there is no tests/test_faults.py::test_nothing"
    ]
    assert problems("| a | 65 | `tests/test_none.py::test_a` |") == ["there is no tests/test_none.py::test_a"]
    assert problems("| a | 65 |  |") == ["neither a test nor a reason"]
    assert problems(f"| a | 65 | {control} (slow) |") == ["test_every_row_is_seen is not slow"]
    slow = "tests/reliability/test_disk.py::test_every_operation_with_every_error"
    assert problems(f"| a | 74 | `{slow}` |") == ["test_every_operation_with_every_error is slow"]
    assert problems("| a | b |") == ["2 cells"]
