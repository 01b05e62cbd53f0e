"""A severity stands for the settings that it governs, and is refused beside them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ftaug.config.registry import Component
from ftaug.config.schema import read_settings
from ftaug.config.severity import at_severity, settings_at
from ftaug.config.types import Degrees, Positive, Probability


@pytest.fixture
def entry(kinds):
    kind = kinds("op", severity=None)

    @kind.register(severity={"degrees": (0.0, 90.0), "factor": ((1.0, 1.0), (0.5, 3.0)), "bits": (8, 2)})
    def rotate(
        x,
        *,
        degrees: Degrees = 15.0,
        factor: tuple[Positive, Positive] = (0.8, 1.25),
        bits: int = 4,
        probability: Probability = 1.0,
    ):
        """Rotate.

        Settings:
            degrees: a
            factor: b
            bits: c
            probability: d
        """
        return degrees

    return kind["rotate"]


def read(entry, **tree):
    return read_settings(entry, tree, {})


def faults(entry, **tree):
    with pytest.raises(ValidationError) as caught:
        read(entry, **tree)
    return [(error["loc"], error["input"].after) for error in caught.value.errors()]


def test_sets_what_it_governs_and_nothing_else(entry):
    half = {"degrees": 45.0, "factor": (0.75, 2.0), "bits": 5}
    assert settings_at(entry, 0.5) == half
    assert read(entry, severity=0.5) == {**half, "probability": 1.0}
    assert read(entry, severity=0, probability=0.25)["degrees"] == 0


def test_without_it_defaults_hold(entry):
    expected = {"degrees": 15.0, "factor": (0.8, 1.25), "bits": 4, "probability": 1.0}
    assert read(entry) == read(entry, severity=None) == expected


def test_is_refused_beside_what_it_governs(entry):
    words = "is set by severity as well; leave one of them out"
    assert faults(entry, severity=0.5, degrees=3.0) == [(("degrees",), words)]
    assert faults(entry, severity=0.5, bits=3, degrees=3.0) == [(("bits",), words), (("degrees",), words)]


@pytest.mark.parametrize("severity", [-0.1, 1.5, "strong", True])
def test_must_be_a_share(entry, severity):
    ((where, words),) = faults(entry, severity=severity)
    assert where == ("severity",)
    assert words.startswith("must be a severity from 0 to 1, or null; got ")


def test_components_move_along_it(entry):
    component = Component("op", "rotate", read(entry, probability=0.5), "image", entry.origin)
    assert [at_severity(component, severity)(None) for severity in (0, 0.5, 1)] == [0, 45, 90]
    assert at_severity(component, 1).settings["probability"] == 0.5
