"""What settings can be, and what they are called."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from ftaug.config.shapes import adapted
from ftaug.config.types import (
    Count,
    Degrees,
    Duration,
    FileOrAddress,
    FilePath,
    Fraction,
    NonNegative,
    Plugin,
    Positive,
    Probability,
    RunName,
    TimeLimit,
)
from ftaug.config.wording import dotted, shown, wording
from ftaug.interfaces.model import TrainingLength


@pytest.mark.parametrize(
    ("text", "steps"),
    [("5%", 50), ("100%", 1000), ("2 epochs", 200), ("1 epoch", 100), ("0.5 epochs", 50), ("300 steps", 300)],
)
def test_durations_in_steps(text, steps):
    assert Duration.parse(text).steps(TrainingLength(total_steps=1000, epoch_steps=100)) == steps


@pytest.mark.parametrize("text", ["5%", "33.3333333333%", "2 epochs", "1 epoch", "0.1 epochs", "1 step", "300 steps"])
def test_a_duration_is_written_as_it_is_read(text):
    assert str(Duration.parse(text)) == text


@pytest.mark.parametrize("value", ["5", 5, True, "5 %%", "-1 epochs", "101%", "1.5 steps", "epochs", None, [], "1 eon"])
def test_what_is_no_duration(value):
    with pytest.raises(ValueError, match="duration"):
        Duration.parse(value)


def test_zero_is_a_duration():
    assert Duration.parse(0) == Duration(0, "steps")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (90, 5400),
        (0.5, 30),
        ("1:30", 5400),
        ("0:01", 60),
        ("90s", 90),
        ("30m", 1800),
        ("3h30m", 12600),
        ("1d", 86400),
        ("1h5s", 3605),
        ("1:00:00", 3600),
        ("0:01:30", 90),
        ("1-12:00:00", 129600),
    ],
)
def test_time_limits(value, seconds):
    assert TimeLimit.parse(value).seconds == seconds


@pytest.mark.parametrize(
    "value", [0, -1, True, "90", "", "0s", "m", "30m3h", "1:60", "1:3", "1:00:60", float("inf"), float("nan"), None]
)
def test_what_is_no_time_limit(value):
    with pytest.raises(ValueError, match="minutes"):
        TimeLimit.parse(value)


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (Probability, [0, 0.5, 1], [-0.1, 1.1, float("nan"), True, "0.5"]),
        (Degrees, [0, 360], [-1, 361]),
        (Fraction, [0.1, 1, "20%", "0.5%", "100 %"], [0, 1.1, "0%", "120%", "20", "%", ".%", "1.2.3%"]),
        (Positive, [1e-9], [0, -1, float("inf")]),
        (NonNegative, [0], [-1e-9]),
        (Count, [1], [0, 1.0, True]),
        (
            RunName,
            ["flowers", "a.b-c_d+1", "é", "x" * 100],
            ["", "..", "/etc", "-rf", "a b", "a/b", "x" * 101, "a\x1b"],
        ),
    ],
)
def test_ranges(annotation, good, bad):
    adapter = TypeAdapter(annotation)
    for value in good:
        adapter.validate_python(value, strict=True)
    for value in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(value, strict=True)


def test_addresses_are_no_paths(tmp_path):
    context = {"folder": tmp_path}
    adapter = TypeAdapter(adapted(FileOrAddress))
    for address in ("https://host/a.tar", "s3://bucket/a-{0..9}.tar", "memory://a"):
        assert adapter.validate_python(address, context=context) == address
    for path in ("a.tar", "/a.tar", "https:/host"):
        assert adapter.validate_python(path, context=context) == tmp_path / path


def test_percent_is_a_share():
    assert TypeAdapter(Fraction).validate_python("20%") == 0.2


def test_paths_start_from_the_file_of_the_experiment(tmp_path):
    context = {"folder": tmp_path}
    assert TypeAdapter(FilePath).validate_python("a/../b", context=context) == tmp_path / "b"
    assert str(TypeAdapter(FilePath).validate_python("/etc", context=context)) == "/etc"
    assert TypeAdapter(Plugin).validate_python("ops.py", context=context) == str(tmp_path / "ops.py")
    assert TypeAdapter(Plugin).validate_python("package.ops", context=context) == "package.ops"


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "a whole number"),
        (Literal["a"], "a"),
        (Literal["a", "b", "c"], "one of a, b or c"),
        (Literal["a", "b"] | None, "a or b, or null"),
        (Annotated[float, Field(ge=0, lt=1)], "a number of 0 or more and below 1"),
        (tuple[int, ...], "a list, each a whole number"),
        (tuple[float, float], "a list of 2, each a number"),
        (tuple[int, str], "a list of 2: a whole number, a text"),
        (dict[str, bool], "a mapping, each value true or false"),
        (Duration, "a duration such as 5%, 2 epochs or 300 steps"),
    ],
)
def test_types_in_words(annotation, words):
    assert wording(annotation) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1e-3, "0.001"),
        ("fp8", "fp8"),
        ("5", "'5'"),
        ("", "''"),
        ("null", "'null'"),
        (" a", "' a'"),
        ([], "an empty list"),
        ([1, "b"], "[1, b]"),
        ([0] * 20, "a list of 20"),
        ({}, "an empty mapping"),
        ({"a": 1}, "a mapping with the keys a"),
    ],
)
def test_values_in_words(value, text):
    assert shown(value) == text


def test_a_way_is_spelt_as_in_an_override():
    assert dotted(("augment", 0, "rotate")) == "augment.0.rotate"
    assert dotted(("lr", "stages", "layer4.*")) == 'lr.stages."layer4.*"'
