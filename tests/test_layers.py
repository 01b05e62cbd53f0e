"""Who may import whom. Imports are read from the source, also those inside functions."""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ftaug

PACKAGE = Path(ftaug.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

LOW = {"errors", "interfaces", "config"}
DATA = {*LOW, "weight_matching", "weights", "hub", "data", "recipes", "augment", "attribution", "documents"}
MAY_IMPORT = {
    "errors": set(),
    "interfaces": {"errors"},
    "config": {"errors", "interfaces"},
    "weight_matching": {"interfaces"},
    "weights": {*LOW, "weight_matching"},
    "hub": {*LOW, "weight_matching", "weights"},
    "augment": LOW,
    "documents": {"errors", "interfaces"},
    "attribution": {*LOW, "documents"},
    "data": LOW,
    "recipes": {*LOW, "weights", "data"},
    "image": DATA,
    "text": DATA,
    "audio": DATA,
    "components": {*LOW, "weights"},
    "statistics": {"errors", "interfaces"},
    "engine": {*LOW, "weights", "data"},
    "experiment_file": {*LOW, "image", "text", "audio", "components", "augment"},
    "runs": {*LOW, "augment", "documents", "data", "components", "statistics", "engine", "experiment_file"},
    "streams": set(),
    "reporting": {"errors", "streams"},
    "commands": {
        *LOW,
        "documents",
        "streams",
        "reporting",
        "data",
        "image",
        "components",
        "engine",
        "experiment_file",
        "runs",
    },
    "cli": {"errors", "streams", "reporting", "commands"},
    "__main__": {"cli", "engine"},
    "api": {"config", "experiment_file", "runs"},
    "__init__": {"api"},
}
ONLY_FOR_TYPES = {"interfaces": {"config"}}
"""What may be imported under TYPE_CHECKING on top of that."""


def dotted_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer(module: str) -> str:
    """`ftaug.image.io.decode` -> `image`; the package itself -> `__init__`."""
    return ([*module.split("."), "__init__"])[1]


def for_types_only(tree: ast.AST) -> set[ast.AST]:
    """All nodes below an `if TYPE_CHECKING:`."""
    guards = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test).endswith("TYPE_CHECKING")]
    return {inner for guard in guards for statement in guard.body for inner in ast.walk(statement)}


def is_module(name: str) -> bool:
    return (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()


def imports(file: Path) -> Iterator[tuple[str, bool, int]]:
    """Every ftaug module that a file imports, whether only for types, and the line."""
    tree = ast.parse(file.read_text())
    typing_only = for_types_only(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = dotted_name(file) if file.name == "__init__.py" else dotted_name(file).rpartition(".")[0]
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            inside = [f"ftaug.{alias.name}" if is_module(alias.name) else "ftaug" for alias in node.names]
            names = inside if base == "ftaug" else [base]
        else:
            continue
        yield from ((name, node in typing_only, node.lineno) for name in names if name.split(".")[0] == "ftaug")


def id_of(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


def test_every_layer_is_known():
    assert {layer(dotted_name(file)) for file in FILES} <= set(MAY_IMPORT)


@pytest.mark.parametrize("file", FILES, ids=id_of)
def test_imports_go_downwards(file):
    own = layer(dotted_name(file))
    wrong = []
    for name, typing_only, line in imports(file):
        target = layer(name)
        allowed = MAY_IMPORT[own] | {own, "__init__"} | (ONLY_FOR_TYPES.get(own, set()) if typing_only else set())
        if target not in allowed:
            wrong.append(f"{id_of(file)}:{line} imports {name}")
    assert not wrong


@pytest.mark.parametrize("file", sorted((PACKAGE / "commands").glob("[!_]*.py")), ids=id_of)
def test_commands_never_import_commands(file):
    shared = {dotted_name(file), "ftaug.commands.options"}
    others = [
        f"{name} in line {line}" for name, _, line in imports(file) if layer(name) == "commands" and name not in shared
    ]
    assert not others


@pytest.mark.parametrize("file", sorted((PACKAGE / "commands").glob("[!_]*.py")), ids=id_of)
def test_commands_import_in_function_bodies(file):
    """`ftaug evaluate --help` imports its module; only what is imported for any command may stand at its top."""
    tree = ast.parse(file.read_text())
    at_top = {node.lineno for node in tree.body}
    allowed = {"ftaug", "ftaug.commands.options", "ftaug.errors", "ftaug.reporting", "ftaug.streams"}
    assert not {name for name, _, line in imports(file) if line in at_top} - allowed
    modules = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    others = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names
    assert others <= {"ftaug", "typer"}


@pytest.mark.parametrize("file", FILES, ids=id_of)
def test_nobody_asks_which_modality_it_is(file):
    """Only `experiment_file` turns the modality's name into its module; everyone else calls its verbs."""
    comparisons = [
        f"{id_of(file)}:{node.lineno} {ast.unparse(node)}"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Compare)
        and any(ast.unparse(side).endswith("modality") for side in (node.left, *node.comparators))
        and any(isinstance(side, ast.Constant) and side.value != "any" for side in (node.left, *node.comparators))
    ]
    assert not comparisons


def dependencies(file: Path) -> set[str]:
    """The ftaug modules that a file imports, those for types only apart."""
    tree = ast.parse(file.read_text())
    typing_only = for_types_only(tree)
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in typing_only and (node.module or "").startswith("ftaug"):
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return names & {dotted_name(other) for other in FILES} - {dotted_name(file)}


def test_no_modules_import_each_other_in_a_circle():
    """An `__init__` is no part of it: packages list their modules there."""
    graph = {dotted_name(file): dependencies(file) for file in FILES if file.name != "__init__.py"}
    for modules in graph.values():
        modules &= graph.keys()
    circle = ""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " → ".join(error.args[1])
    assert circle == ""


def test_the_reader_of_imports_sees_them_all(tmp_path, monkeypatch):
    """The checks above are worth what this reader is."""
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path / "ftaug")
    file = tmp_path / "ftaug" / "image" / "ops.py"
    file.parent.mkdir(parents=True)
    (tmp_path / "ftaug" / "experiment_file.py").touch()
    file.write_text(
        "import ftaug.errors\n"
        "from ftaug import __version__, experiment_file\n"
        "from ..config import types\n"
        "from . import decode\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from ftaug.engine.training.fit import fit\n"
        "def f():\n    from ftaug.commands.train import run\n"
    )
    assert set(imports(file)) == {
        ("ftaug.errors", False, 1),
        ("ftaug", False, 2),
        ("ftaug.experiment_file", False, 2),
        ("ftaug.config", False, 3),
        ("ftaug.image", False, 4),
        ("ftaug.engine.training.fit", True, 7),
        ("ftaug.commands.train", False, 9),
    }
