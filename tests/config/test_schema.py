"""Signatures and dataclasses validate trees: every fault in words, with the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from ftaug.config.registry import Component, FrozenDict
from ftaug.config.schema import OfKind
from ftaug.config.shapes import read_tree
from ftaug.config.types import Count, CountOrZero, Degrees, Duration, FilePath, Fraction, NonNegative, Probability, Text


@dataclass(frozen=True)
class Share:
    part: Count | Fraction


@dataclass(frozen=True)
class Plan:
    layers: tuple[Text, ...]
    from_: Duration = Duration(0, "steps")


@dataclass(frozen=True)
class Inner:
    count: Count = 1
    mode: Literal["auto", "fp32", "bf16"] = "auto"


@dataclass(frozen=True)
class Tree:
    op: Annotated[Component, OfKind("op")]
    ops: tuple[Annotated[Component, OfKind("op")], ...] = ("plain",)  # type: ignore[assignment]
    either: Share | Annotated[Component, OfKind("op")] | None = Share(0.5)
    plan: tuple[Text | Plan, ...] = ("all",)
    workers: CountOrZero | Literal["auto"] = "auto"
    pair: tuple[float, float] = (0.9, 0.999)
    rates: Mapping[str, NonNegative] = field(default_factory=FrozenDict)
    inner: Inner = field(default_factory=Inner)
    flag: bool = False
    rate: Annotated[float, Field(gt=0)] = 1.0
    limit: Count | None = None


@pytest.fixture(autouse=True)
def op(kinds):
    kind = kinds("op")

    @kind.register
    def rotate(x, *, degrees: Degrees = 15.0, probability: Probability = 1.0):
        """Rotate.

        Settings:
            degrees: a
            probability: b
        """

    @kind.register
    def plain(x):
        """Do nothing."""

    @kind.register
    def one_of(x, *, choices: tuple[Annotated[Component, OfKind("op")], ...], file: FilePath | None = None):
        """Do one of several.

        Settings:
            choices: a
            file: b
        """

    return kind


def read(**tree: Any) -> Tree:
    return read_tree(Tree, {"op": "plain"} | tree, {"modality": "image", "folder": "/base"})


def faults(**tree: Any) -> list[str]:
    with pytest.raises(ValidationError) as error:
        read(**tree)
    return [line["input"].sentence(line["loc"]) for line in error.value.errors()]


def test_defaults_are_filled_in_and_everything_hashes():
    tree = read()
    assert tree.op == Component("op", "plain", {}, "image")
    assert tree.ops == (Component("op", "plain", {}, "image"),)
    assert tree.either == Share(0.5)
    assert isinstance(hash(tree), int)


def test_components_get_their_settings_and_defaults():
    tree = read(op={"rotate": {"degrees": 5}}, ops=["rotate", {"rotate": None}, {"rotate": {}}])
    assert tree.op.settings == {"degrees": 5.0, "probability": 1.0}
    assert {op.settings["degrees"] for op in tree.ops} == {15.0}


def test_components_inside_components():
    tree = read(op={"one_of": {"choices": ["plain", {"one_of": {"choices": [{"rotate": {"degrees": 3}}]}}]}})
    inner = tree.op.settings["choices"][1].settings["choices"][0]
    assert (inner.name, inner.settings["degrees"]) == ("rotate", 3)
    assert hash(tree.op) == hash(read(op=tree.op).op)


def test_a_list_in_place_of_the_settings_is_the_one_that_is_required():
    listed, complete = read(op={"one_of": ["plain", "rotate"]}), read(op={"one_of": {"choices": ["plain", "rotate"]}})
    assert listed.op == complete.op
    assert read(op={"one_of": "plain"}).op == read(op={"one_of": ["plain"]}).op
    nested = read(op={"one_of": [{"one_of": ["rotate"]}]}).op.settings["choices"][0]
    assert nested.settings["choices"][0].name == "rotate"


def test_a_word_in_place_of_a_list_of_words_is_that_list():
    tree = read(ops="rotate", plan="head")
    assert ([op.name for op in tree.ops], tree.plan) == (["rotate"], ("head",))
    assert read(plan=[{"layers": "head"}]).plan[0].layers == ("head",)


def test_paths_start_from_the_folder_of_the_file():
    tree = read(op={"one_of": {"choices": [], "file": "a/../b"}})
    assert str(tree.op.settings["file"]) == "/base/b"


def test_lists_and_mappings():
    tree = read(pair=[1, 2], rates={"layer4.*": 0.5}, plan=["a", {"layers": ["b"], "from": "2 epochs"}], workers=0)
    assert tree.pair == (1, 2)
    assert tree.rates == {"layer4.*": 0.5}
    assert tree.plan == ("a", Plan(("b",), Duration(2, "epochs")))
    assert tree.workers == 0


@pytest.mark.parametrize(("value", "share"), [(300, 300), (0.2, 0.2), ("20%", 0.2), (1, 1)])
def test_a_share_or_a_number(value, share):
    made = read(either={"part": value}).either
    assert made == Share(share)
    assert type(made.part) is type(share)


def test_a_union_of_mapping_component_and_null():
    assert read(either=None).either is None
    assert read(either="rotate").either.name == "rotate"
    assert read(either={"rotate": {"degrees": 1}}).either.settings["degrees"] == 1


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({"op": "rotat"}, "no op 'rotat'; did you mean 'rotate'?"),
        ({"op": {"rotat": {}}}, "no op 'rotat'; did you mean 'rotate'?"),
        ({"op": {"rotate": {"degrees": 400}}}, "op.rotate.degrees must be an angle from 0 to 360 degrees; got 400"),
        ({"op": {"rotate": {"degrees": "5"}}}, "op.rotate.degrees must be an angle from 0 to 360 degrees; got '5'"),
        ({"op": {"rotate": {"degrees": True}}}, "op.rotate.degrees must be an angle from 0 to 360 degrees; got true"),
        ({"op": {"rotate": {"degree": 4}}}, "unknown key 'degree' in op.rotate; did you mean 'degrees'?"),
        ({"op": {"rotate": 15}}, "op.rotate must be a mapping with the keys degrees, probability; got 15"),
        (
            {"op": {"rotate": {"degrees:4": None}}},
            "unknown key 'degrees:4' in op.rotate; write a space after the colon: 'degrees: 4'",
        ),
        ({"op": {"plain": {"a": 1}}}, "unknown key 'a' in op.plain; it has no settings"),
        ({"op": {"one_of": {}}}, "missing key 'choices' in op.one_of: it must be a list, each an op"),
        (
            {"op": {"rotate": None, "degrees": 4}},
            "op must be one op; got the keys rotate, degrees; indent the settings of 'rotate' below it",
        ),
        ({"op": {"rotate": None, "plain": None}}, "op must be one op; got the keys rotate, plain"),
        ({"op": 3}, "op must be an op: its name, or its name with its settings below it; got 3"),
        ({"op": None}, "op must be an op: its name, or its name with its settings below it; got null"),
        ({"ops": 3}, "ops must be a list, each an op; got 3; write [3]"),
        ({"ops": "plane"}, "no op 'plane'; did you mean 'plain'?"),
        ({"plan": [{"layers": ""}]}, "plan.0.layers must be a list, each a text; got ''"),
        ({"op": {"one_of": ["plain", {"rotate": {"degrees": -1}}]}}, "op.one_of.1.rotate.degrees must be an angle"),
        ({"op": {"one_of": ["plain", "rotat"]}}, "no op 'rotat'; did you mean 'rotate'?"),
        ({"op": {"one_of": "rotat"}}, "no op 'rotat'; did you mean 'rotate'?"),
        ({"op": {"rotate": "5"}}, "op.rotate must be a mapping with the keys degrees, probability; got '5'"),
        ({"op": {"rotate": [15]}}, "op.rotate must be a mapping with the keys degrees, probability; got [15]"),
        ({"ops": {"rotate": {}}}, "ops must be a list, each an op; got a mapping with the keys rotate; put a dash"),
        (
            {"ops": ["plain", {"one_of": {"choices": [{"rotate": {"probability": 2}}]}}]},
            "ops.1.one_of.choices.0.rotate.probability must be a probability from 0 to 1; got 2",
        ),
        ({"either": {"part": 0}}, "either.part must be a whole number of 1 or more, or a share above 0"),
        (
            {"either": {"rotate": {"degrees": -1}}},
            "either.rotate.degrees must be an angle from 0 to 360 degrees; got -1",
        ),
        ({"either": "rotat"}, "no op 'rotat'; did you mean 'rotate'?"),
        ({"either": 3}, "either must be a mapping with the key part, or an op; got 3"),
        ({"plan": [{"layers": []}, {"layers": [1]}]}, "plan.1.layers.0 must be a text; got 1"),
        ({"plan": [{"layer": ["a"]}]}, "plan.0 must be a text, or a mapping with the keys layers, from; got a mapping"),
        ({"plan": [{"layers": ["a"], "form": 1}]}, "unknown key 'form' in plan.0; did you mean 'from'?"),
        (
            {"plan": [{"layers": ["a"], "from": "2 eons"}]},
            "plan.0.from must be a duration such as 5%, 2 epochs or 300 steps; got 2 eons",
        ),
        ({"workers": -1}, "workers must be a whole number of 0 or more, or auto; got -1"),
        ({"workers": "4"}, "workers must be a whole number of 0 or more, or auto; got '4'"),
        ({"workers": True}, "workers must be a whole number of 0 or more, or auto; got true"),
        ({"workers": 1.0}, "workers must be a whole number of 0 or more, or auto; got 1.0"),
        ({"pair": [1]}, "pair must be a list of 2, each a number; got [1]"),
        ({"pair": [1, 2, "three"]}, "pair must be a list of 2, each a number; got [1, 2, three]"),
        ({"pair": [1] * 30}, "pair must be a list of 2, each a number; got a list of 30"),
        ({"pair": [1, "x"]}, "pair.1 must be a number; got x"),
        ({"rates": {"a": -1}}, "rates.a must be a number of 0 or more; got -1"),
        ({"rates": {"layer4.*": -1}}, 'rates."layer4.*" must be a number of 0 or more; got -1'),
        ({"inner": {"mode": "fp8"}}, "inner.mode must be one of auto, fp32 or bf16; got fp8"),
        ({"inner": {"count": 1.5}}, "inner.count must be a whole number of 1 or more; got 1.5"),
        ({"inner": []}, "inner must be a mapping with the keys count, mode; got an empty list"),
        ({"flag": 1}, "flag must be true or false; got 1"),
        ({"rate": 0}, "rate must be a number above 0; got 0"),
        ({"rate": float("nan")}, "rate must be a number above 0; got nan"),
        ({"limit": "many"}, "limit must be a whole number of 1 or more, or null; got many"),
        ({"limit": "x" * 90}, f"limit must be a whole number of 1 or more, or null; got {'x' * 37}…"),
        ({"Flag": True}, "unknown key 'Flag'; did you mean 'flag'?"),
    ],
)
def test_each_fault_is_a_sentence(tree, sentence):
    found = faults(**tree)
    assert len(found) == 1
    assert found[0].startswith(sentence)


def test_all_faults_come_together():
    found = faults(op={"rotate": {"degrees": 400, "x": 1}}, ops=["nope", "plain", 3], inner={"count": 0}, y=1)
    assert len(found) == 6


def test_a_missing_key_says_what_it_must_be():
    with pytest.raises(ValidationError) as error:
        read_tree(Tree, {}, {})
    (line,) = error.value.errors()
    assert line["input"].sentence(line["loc"]) == "missing key 'op': it must be an op"


def test_a_setting_may_be_called_as_pydantic_calls_its_own(op):
    @op.register
    def shadow(x, *, copy: int = 1, json: int = 2, model_config: int = 3, _a: int = 4):
        """Shadow.

        Settings:
            copy: a
            json: a
            model_config: a
            _a: a
        """

    assert read(op={"shadow": {"json": 5}}).op.settings == {"copy": 1, "json": 5, "model_config": 3, "_a": 4}


def test_a_default_out_of_its_own_range_is_found(op):
    @op.register
    def odd(x, *, setting: Probability = 2.0):
        """Be odd.

        Settings:
            setting: a
        """

    with pytest.raises(ValidationError):
        read(op="odd")
