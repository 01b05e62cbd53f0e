"""The scripts use names that exist in ftaug and in one another; they are read, not imported, which takes no time."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def is_python(path: Path) -> bool:
    if path.suffix == ".py":
        return True
    return path.is_file() and not path.suffix and "python" in path.read_text().partition("\n")[0]


SCRIPTS = sorted(path for path in (ROOT / "scripts").rglob("*") if is_python(path))


def module_file(dotted: str, script: Path) -> Path | None:
    """The file of a module of ftaug or of one beside the script; None for those of other packages."""
    for root in (ROOT, script.parent):
        path = root.joinpath(*dotted.split("."))
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


@cache
def names_of(file: Path) -> frozenset[str]:
    """The names that a module defines or imports at its top; of a package also its modules."""
    names = {path.stem for path in file.parent.iterdir()} if file.name == "__init__.py" else set()
    waiting: list[ast.AST] = [ast.parse(file.read_text())]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            else:
                waiting.append(node)
    return frozenset(names)


def missing_names(source: str, script: Path) -> Iterator[str]:
    """Each name that a script takes from a module which has none of that name."""
    tree = ast.parse(source)
    modules: dict[str, str] = {}  # variable → module
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                modules[alias.asname or alias.name] = alias.name
                if alias.name.startswith("ftaug.") and module_file(alias.name, script) is None:
                    yield alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            file = module_file(node.module, script)
            if file is None and node.module.split(".")[0] == "ftaug":
                yield node.module
            for alias in node.names if file else ():
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                if alias.name not in names_of(file):
                    yield f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (module := modules.get(ast.unparse(node.value))):
            file = module_file(module, script)
            if file and node.attr not in names_of(file):
                yield f"{module}.{node.attr}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_the_names_that_a_script_uses_exist(script):
    assert list(missing_names(script.read_text(), script)) == []


def test_missing_names_are_seen():
    """The test above is worth what this reader is."""
    script = next(path for path in SCRIPTS if path.parent.name == "bench")
    source = """
import ftaug.moved
import ftaug.errors
import numpy as np
import torch.moved
from ftaug.errors import BadData, moved
from ftaug.gone import BadData
from ftaug.engine.system import device as devices, gone
from peers import gone
def f():
    from ftaug.config import registry
    devices.choose, devices.moved, ftaug.errors.moved, registry.Component, registry.moved, np.moved
"""
    assert [*missing_names(source, script)] == [
        *("ftaug.moved", "ftaug.errors.moved", "ftaug.gone", "ftaug.engine.system.gone", "peers.gone"),
        *("ftaug.engine.system.device.moved", "ftaug.errors.moved", "ftaug.config.registry.moved"),
    ]
