"""Functions become components by name; what is no component is refused with the mend."""

import pickle
import sys
from typing import Annotated

import pytest
from pydantic import Field

from ftaug.config.registry import Component, FrozenDict, Registry, explanations, import_registering_modules
from ftaug.config.shapes import function_shape
from ftaug.config.types import Doc
from ftaug.errors import Place


@pytest.fixture
def op(kinds):
    return kinds("op", ("size", "rng"), cost=1)


def turn(size, rng, *, degrees: float = 15.0, axis: str = "z"):
    """Turn.

    Settings:
        degrees: how far,
            either way
        axis: about what

    Notes follow.
    """
    return size, rng, degrees, axis


def test_a_registered_function_is_found_and_called(op):
    op.register(turn)
    component = Component("op", "turn", {"degrees": 5.0, "axis": "x"}, "image")
    assert component(1, 2) == (1, 2, 5.0, "x")
    assert op["turn"].summary == "Turn."
    assert list(op) == ["turn"]
    assert component.fact("cost") == 1


def test_facts_are_the_kinds_unless_the_function_says_otherwise(op):
    @op.register(cost=7)
    def dear(size, rng):
        """Cost a lot."""

    assert Component("op", "dear", {}, "image").fact("cost") == 7
    with pytest.raises(TypeError, match="the kind op knows no fact 'price'; it knows cost"):
        op.register(price=1)(turn)


def test_a_setting_may_be_called_by_a_word_of_python(op):
    @op.register
    def turn_most(size, rng, *, except_: str = "none"):
        """Turn most.

        Settings:
            except: what stays
        """
        return except_

    assert list(op["turn_most"].settings()) == ["except"]
    assert Component("op", "turn_most", {"except": "arrows"}, "image")(1, 2) == "arrows"


def test_a_family_takes_the_name_first(op):
    @op.family(("up", "down"))
    def shift(name, size, rng, *, by: int = 1):
        """Shift.

        Settings:
            by: how far
        """
        return name, size, rng, by

    @op.family("lib/")
    def library(name, size, rng):
        """Do what a library does."""
        return name

    assert Component("op", "down", {"by": 2}, "image")(1, 2) == ("down", 1, 2, 2)
    assert Component("op", "lib/x.y", {}, "image")(1, 2) == "lib/x.y"
    assert list(op) == ["down", "up"]
    assert "lib/x" in op
    assert "lib/" not in op
    assert "lib" not in op


def test_an_unknown_name_gets_the_nearest(op):
    op.register(turn)
    with pytest.raises(KeyError) as error:
        op["trun"]
    assert error.value.args[0] == "no op 'trun'; did you mean 'turn'?"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('def f(rng, size):\n "x."', r"op functions begin `def f\(size, rng, \*, ...\)`; got \(rng, size\)"),
        ('def f(size):\n "x."', r"op functions begin `def f\(size, rng, \*, ...\)`; got \(size\)"),
        ('def f(size, rng, *rest):\n "x."', r"op functions begin"),
        ('def f(size, rng, degrees=1):\n "x."', r"op functions begin"),
        ('def f(size, rng, **rest):\n "x."', r"name each setting after the star instead of \*\*keywords"),
        ("def f(size, rng): pass", "needs a docstring"),
        ('def f(size, rng):\n "  "', "needs a docstring"),
        ('def f(size, rng, *, a=1):\n "x."', "the setting 'a' needs a type, such as a: float"),
        ('def f(size, rng, *, a: int=1):\n "x."', "explain the setting 'a' in the docstring: a line `a: ...` below"),
        ('def f(size, rng, *, a: int=1):\n "x.\\n\\n  Settings:\\n    b: c"', "explain the setting 'a'"),
    ],
)
def test_what_is_no_component_is_refused(op, source, message):
    space = {"__name__": "my_ops"}
    exec(source, space)
    with pytest.raises(TypeError, match=message) as error:
        op.register(space["f"])
    assert str(error.value).startswith("my_ops: f: ")
    assert "f" not in op


def test_a_name_can_be_taken_once_but_a_module_can_be_reloaded(op):
    op.register(turn)
    op.register(turn)
    space = {"__name__": "my_ops"}
    exec('def turn(size, rng):\n "x."', space)
    with pytest.raises(TypeError, match=r"my_ops: turn: the op 'turn' already exists .*; choose another name"):
        op.register(space["turn"])


def test_explanations_are_read_from_the_block():
    assert explanations(turn) == {"degrees": "how far, either way", "axis": "about what"}
    assert explanations(test_explanations_are_read_from_the_block) == {}


Degrees = Annotated[float, Field(ge=0), Doc("how far, either way")]


def test_a_setting_is_explained_by_its_type_or_by_the_docstring(op):
    @op.register
    def tilt(size, rng, *, first: Degrees = 1.0, second: "Degrees" = 2.0, third: Degrees = 3.0):
        """Tilt.

        Settings:
            third: how far at most
        """

    assert function_shape(tilt).explanations == {
        "first": "how far, either way",
        "second": "how far, either way",
        "third": "how far at most",
    }


def test_components_are_values(op):
    op.register(turn)
    settings = {"degrees": 1.0, "axis": [1, {"b": [2]}]}
    one = Component("op", "turn", settings, "image", place=Place("f", 1, 2))
    other = Component("op", "turn", settings, "image")
    assert one == other
    assert hash(one) == hash(other)
    assert one.settings["axis"] == (1, {"b": (2,)})
    assert pickle.loads(pickle.dumps(one)) == one
    assert one != Component("op", "turn", {"degrees": 2.0}, "image")


def test_settings_cannot_change():
    settings = FrozenDict(a=1)
    changes = ["settings['a'] = 2", "del settings['a']", "settings.update(a=2)", "settings.pop('a')", "settings |= {}"]
    for change in changes:
        with pytest.raises(TypeError, match="immutable"):
            exec(change, {"settings": settings})
    assert settings == {"a": 1}


def test_another_process_imports_the_module_that_registers(tmp_path, monkeypatch, kinds):
    (tmp_path / "late_ops.py").write_text(
        "from ftaug.config.registry import REGISTRIES\n"
        "@REGISTRIES['op', 'image'].register\n"
        "def late(x):\n    'Come late.'\n    return x + 1\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert isinstance(kinds("op"), Registry)
    assert Component("op", "late", {}, "image", origin="late_ops")(1) == 2
    assert Component("op", "late", {}, "image").entry.origin == "late_ops"


def test_the_modules_that_register_are_imported_and_no_others(tmp_path, monkeypatch):
    package = tmp_path / "package_of_ops"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "new.py").write_text("class ops: register = staticmethod(lambda f: f)\n@ops.register\ndef f(): ...\n")
    (package / "many.py").write_text("class ops: family = staticmethod(lambda n: print)\nops.family(['a'])(int)\n")
    (package / "slow.py").write_text("raise AssertionError\n")
    monkeypatch.syspath_prepend(tmp_path)
    import_registering_modules("package_of_ops", [str(package)])
    assert {name for name in sys.modules if name.startswith("package_of_ops.")} == {
        "package_of_ops.new",
        "package_of_ops.many",
    }
