"""Search spaces in an experiment file: where they stand, their values, and the overrides that set them."""

from collections import Counter

import numpy as np
import pytest

from ftaug.config import overrides
from ftaug.config.search_space import UNSET, Space, find_spaces, overrides_of, written
from ftaug.config.yaml_document import parse, parse_value
from ftaug.errors import Place

FILE = """
lr: {peak: {search: {log: [1e-4, 1e-2]}}}
backbone: {search: [resnet18, timm/convnext_nano, {resnet20: {weights: letters}}]}
augment:
  - rotate: {degrees: {search: {range: [0, 30], default: 5}}}
  - search: [horizontal_flip, null]
search: {trials: 3}
"""


def spaces_of(text):
    return find_spaces(parse(text, "f.yaml"))


def test_spaces_stand_where_values_stand():
    spaces, problems = spaces_of(FILE)
    assert problems == []
    assert [(s.key, str(s.place)) for s in spaces] == [
        ("lr.peak", "f.yaml:2:12"),
        ("backbone", "f.yaml:3:11"),
        ("augment.0.rotate.degrees", "f.yaml:5:23"),
        ("augment.1", "f.yaml:6:5"),
    ]
    assert [s.ends for s in spaces] == [
        (1e-4, 1e-2),
        ("resnet18", "timm/convnext_nano", {"resnet20": {"weights": "letters"}}),
        (0, 30, 5),
        ("horizontal_flip", None),
    ]
    document = parse(FILE, "f.yaml")
    assert [str(document.place(path)) for path in spaces[2].paths] == ["f.yaml:5:41", "f.yaml:5:44", "f.yaml:5:58"]
    assert [s.first for s in spaces] == [0.001, "resnet18", 5, "horizontal_flip"]


@pytest.mark.parametrize(
    ("space", "place", "message"),
    [
        ("[]", "21", "lr.peak: has no values; a search needs at least two"),
        ("[1]", "21", "lr.peak: has only one value"),
        ("[1, 2, 1]", "28", "lr.peak: 1 is listed twice"),
        ("{range: [3, 1]}", "29", "lr.peak: range must go from the lowest to the highest value; got [3, 1]"),
        ("{range: [1, 1]}", "29", "lr.peak: range must go from the lowest to the highest value"),
        ("{log: [0, 1]}", "27", "lr.peak: log must begin above 0; got [0, 1]"),
        ("{range: [a, 1]}", "29", "lr.peak: range must be two numbers, [lowest, highest]; got [a, 1]"),
        ("{range: [true, 2]}", "29", "lr.peak: range must be two numbers"),
        ("{range: [1, .inf]}", "29", "lr.peak: range must be two numbers"),
        ("{range: [1, 2, 3]}", "29", "lr.peak: range must be two numbers"),
        ("{rnge: [1, 2]}", "28", "lr.peak: unknown key 'rnge'; did you mean 'range'?"),
        ("{range: [1, 2], log: [1, 2]}", "21", "lr.peak: must be a list of values, or a range"),
        ("{range: [1, 2], default: x}", "46", "lr.peak: default must be a number; got x"),
        ("3", "21", "lr.peak: must be a list of values, or a range"),
        ("{search: [1, 2]}", "21", "lr.peak: a search cannot contain another"),
        ("[{a: {search: [1, 2]}}, 3]", "21", "lr.peak: a search cannot contain another"),
    ],
)
def test_what_is_no_space_is_named_with_its_place(space, place, message):
    spaces, (problem,) = spaces_of(f"lr: {{peak: {{search: {space}}}}}\n")
    assert spaces == []
    assert problem.message.startswith(message)
    assert str(problem.place) == f"f.yaml:1:{place}"


def test_the_settings_of_the_search_cannot_be_searched():
    _, (problem,) = spaces_of("search: {trials: {search: [1, 2]}}\n")
    assert problem.message == "search.trials: the settings of the search itself cannot be searched"


def test_whole_numbers_stay_whole_and_are_equally_likely():
    space = Space(("a",), Place("f"), low=0, high=3)
    counts = Counter(space.value_at(share) for share in np.linspace(0, 1, 4000, endpoint=False))
    assert set(counts) == {0, 1, 2, 3}
    assert all(type(value) is int for value in counts)
    assert max(counts.values()) - min(counts.values()) <= 2


@pytest.mark.parametrize(("low", "high"), [(1, 64), (1e-5, 0.1)])
def test_a_logarithmic_space_has_as_many_values_in_each_decade(low, high):
    space = Space(("a",), Place("f"), low=low, high=high, is_log=True)
    values = [space.value_at(share) for share in np.linspace(0, 1, 1001)]
    assert values[0] == low
    assert values[-1] == high
    assert values == sorted(values)
    assert space.middle == pytest.approx((low * high) ** 0.5, rel=0.1)


@pytest.mark.parametrize(
    "value",
    [
        *(
            1,
            1e-5,
            0.1,
            None,
            True,
            "resnet18",
            "timm/x.y",
            "true",
            "1e-3",
            "20%",
            "2 epochs",
            "#x",
            "a: b",
            "",
            "ä '\"",
        ),
        *({"rotate": {"degrees": 5.0, "fill": [1, "x y", None]}}, [1, "a", {"b": False}], {}),
    ],
)
def test_what_is_written_is_read_back(value):
    read = parse_value(written(value) if value != "" else '""', "f")
    assert read == value
    assert type(read) is type(value)


def test_items_are_removed_after_all_values_are_set():
    document = parse("augment: [a, {b: {x: 1, y: 2}}, c, d]\nk: 1\n", "f.yaml")
    values = {
        ("augment", 0): None,
        ("augment", 1, "b", "x"): UNSET,
        ("augment", 2): None,
        ("augment", 3): "e",
        ("k",): None,
    }
    edited, problems = overrides.apply(document, overrides_of(values))
    assert problems == []
    assert edited.tree == {"augment": [{"b": {"y": 2}}, "e"], "k": None}


def test_the_source_of_a_value_may_be_its_place_in_the_file():
    document = parse("a: {b: 1}\n", "f.yaml")
    place = Place("f.yaml", 7, 3)
    edited, _ = overrides.apply(document, ["a.b=2", "a.c=3"], {"a.b=2": place})
    assert edited.place(("a", "b")) == place
    assert str(edited.place(("a", "c"))) == "override 'a.c=3'"
    _, (problem,) = overrides.apply(document, ["a.b.c=2"], {"a.b.c=2": place})
    assert problem.place == place
