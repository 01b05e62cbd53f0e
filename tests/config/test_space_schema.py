"""JSON Schema of search spaces: one definition for each kind of value, and where no space may stand."""

import pytest

from ftaug.config.space_schema import SpaceSchemas, may_be_searched

FRACTION = {"type": "number", "minimum": 0, "maximum": 1}


def test_equal_values_share_their_definitions():
    spaces = SpaceSchemas()
    assert spaces.allow(FRACTION) == spaces.allow(dict(FRACTION))
    count = len(spaces.definitions)
    assert spaces.allow({"type": "string"}) != spaces.allow(FRACTION)
    assert len(spaces.definitions) == count + 2  # the value, and the choice between it and a space


def test_only_numbers_have_ranges():
    spaces = SpaceSchemas()
    number, text = spaces.allow({"anyOf": [FRACTION, {"type": "null"}]}), spaces.allow({"type": "string"})

    def space_of(reference):
        definition = spaces.definitions[reference["$ref"].removeprefix("#/$defs/")]
        return definition["then"]["properties"]["search"]

    assert space_of(number)["else"]["then"]["required"] == ["log"]
    assert space_of(text)["type"] == "array"


@pytest.mark.parametrize(
    ("key", "may"),
    [
        ("lr.peak", True),
        ("data.train", True),
        ("data.value", True),
        ("data.val", False),
        ("data.val.split", False),
        ("seed", False),
        ("train.save_every", False),
        ("search.trials", False),
    ],
)
def test_where_a_space_may_stand(key, may):
    assert may_be_searched(key) is may
