"""Recipes as YAML: the values come back as they were, the reasons stand beside them in one column."""

import pytest
import yaml

from ftaug.config import yaml_document
from ftaug.recipes.layout import Layout
from ftaug.recipes.recipe import Choice, Recipe
from ftaug.recipes.writer import WIDTH, Line, aligned, experiment_text, flow

VALUES = [
    {"path": "../a: #1 é'\"", "label": "true", "n": 3, "rate": 3e-05, "none": "null", "list": ["a", 1, {"b": False}]},
    ["1", "0x10", "1e3", "~", "", " a", "a ", "-", "a#b", "a: b", "20%", "1 epoch", "[x]", "horizontal_flip", "tab\t"],
]


@pytest.mark.parametrize("value", VALUES, ids=["mapping", "texts"])
def test_values_come_back_as_they_were(value):
    """Read by ftaug's own reader, and by PyYAML."""
    text = flow(value)
    assert "\n" not in text
    assert yaml_document.parse(f"v: {text}", "x.yaml").tree == {"v": value}
    assert yaml.safe_load(text.replace("3e-05", "3.0e-05")) == value


def test_plain_words_need_no_quotes():
    assert flow({"cosine": {"warmup": "5%", "every": "1 epoch"}}) == "{cosine: {warmup: 5%, every: 1 epoch}}"


def test_reasons_stand_in_one_column_and_no_line_is_too_long():
    lines = [
        Line("a: 1", "why a"),
        Line("data:"),
        Line("  long: value", "why long"),
        Line("  b: " + "x" * 100, "w " * 70),
    ]
    text = aligned(lines)
    assert text.splitlines()[:3] == ["a: 1           # why a", "data:", "  long: value  # why long"]
    assert all(len(line) <= WIDTH for line in text.splitlines())
    assert text.splitlines()[3].startswith("  # w w") and text.splitlines()[-1] == "  b: " + "x" * 100


def test_the_sections_of_a_recipe():
    one = Choice(1, "one")
    recipe = Recipe(one, Choice("net", "fast"), Choice(["all"], "r"), (), None, one, {"peak": one}, {"epochs": one}, {})
    text = experiment_text(["a\nb"], [Line("modality: x")], Layout({"train": {"t": {}}}, "r", ("hint",)), 30, recipe)
    assert text.startswith("# a b\nmodality: x\ndata:\n  train: {t: {}}")
    tree = yaml.safe_load(text)
    assert tree == {
        "modality": "x",
        "data": {"train": {"t": {}}, "val": {"split": "20%"}, "batch_size": 1},
        "backbone": "net",
        "unfreeze": ["all"],
        "optimizer": 1,
        "lr": {"peak": 1},
        "train": {"epochs": 1},
    }
    assert "  # hint\n" in text and "# fast" in text


def test_without_validation_nothing_says_when_to_evaluate_or_what_is_best():
    one = Choice(1, "one")
    evaluate = {"every": one, "metrics": Choice(["accuracy"], "m"), "best": one}
    recipe = Recipe(one, one, one, (), None, one, {"peak": one}, {"epochs": one}, evaluate)
    with_test = Layout({"train": {"t": {}}, "test": {"t": {}}})
    assert yaml.safe_load(experiment_text([], [], with_test, 30, recipe))["evaluate"] == {"metrics": ["accuracy"]}
    assert set(yaml.safe_load(experiment_text([], [], with_test, 3000, recipe))["evaluate"]) == set(evaluate)
