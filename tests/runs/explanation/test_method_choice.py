import json

import pytest

from ftaug.config.registry import Component
from ftaug.errors import BadData
from ftaug.runs.explanation.checks import Check
from ftaug.runs.explanation.method_choice import MethodChoice, _best, known_checks, sentences


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


def test_checks_are_known_for_the_weights_that_they_are_of(tmp_path):
    content = {"weights": "1234", "checks": {"a": {"method": "a", "correlation": 0.5}}}
    (tmp_path / "explainers.json").write_text(json.dumps(content))
    assert known_checks(tmp_path / "explainers.json", "1234") == {"a": Check("a", 0.5)}
    assert known_checks(tmp_path / "explainers.json", "5678") == {}
    assert known_checks(tmp_path / "others.json", "1234") == {}


@pytest.mark.parametrize(
    "checks", ["3", '{"a": 3}', '{"a": {"name": "a"}}', '{"a": {"method": "a", "road": "far"}}', '{"a": {}']
)
def test_a_damaged_record_is_bad_data(tmp_path, checks):
    (tmp_path / "explainers.json").write_text(f'{{"weights": "1234", "checks": {checks}}}')
    with pytest.raises(BadData, match=r"explainers\.json: is damaged; delete it"):
        known_checks(tmp_path / "explainers.json", "1234")
