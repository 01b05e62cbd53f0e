import pytest

from ftaug.config.registry import Component
from ftaug.runs.explanation.checks import Check
from ftaug.runs.explanation.method_choice import MethodChoice, _best, sentences


def pair(name, road, sparseness, refused=""):
    return Component("explainer", name, {}, "image"), Check(name, 0.1, road, sparseness, refused)


def test_the_highest_road_wins():
    assert _best([pair("a", 0.1, 0.9), pair("b", 0.3, 0.2), pair("c", -0.2, 0.9)]).name == "b"


def test_of_equal_ones_the_sparsest_wins():
    assert _best([pair("a", 0.3, 0.2), pair("b", 0.29, 0.8), pair("c", 0.2, 0.9)]).name == "b"


def test_the_choice_is_explained():
    chosen, other = pair("a", 0.3, 0.2), pair("b", 0.1, 0.1)
    refused = [Check("c", refused="needs a grid"), Check("d", refused="needs a grid")]
    assert list(sentences(MethodChoice(chosen[0], [chosen[1], other[1], *refused]))) == [
        "method: auto → a (ROAD 0.30; b 0.10)",
        "not considered: c, d: needs a grid",
    ]


@pytest.mark.parametrize("check", [Check("a", 0.1), Check("a", refused="b")])
def test_the_check_of_the_choice(check):
    assert MethodChoice(Component("explainer", "a", {}, "image"), [Check("b"), check]).check is check
