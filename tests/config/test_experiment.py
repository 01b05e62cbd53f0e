"""docs/reference/experiment.md lists every key of the experiment file, with what it must be, its default and a text."""

import dataclasses
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftaug.config.experiment import Experiment

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "experiment.md"


def dataclasses_in(annotation: object) -> Iterator[type]:
    """All dataclasses that a type consists of; a component is not one of the file's sections."""
    if dataclasses.is_dataclass(annotation) and annotation.__module__ == Experiment.__module__:
        yield annotation
    for argument in typing.get_args(annotation):
        yield from dataclasses_in(argument)


def keys(cls: type, section: str = "(top level)") -> Iterator[tuple[str, dataclasses.Field]]:
    """The section and field of each key of a dataclass and of those below it."""
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        yield section, field
        path = field.name.rstrip("_") if cls is Experiment else f"{section}.{field.name.rstrip('_')}"
        for inner in dataclasses_in(hints[field.name]):
            yield from keys(inner, path)


def rows() -> dict[tuple[str, str], list[str]]:
    """The cells of the page's tables by section and key."""
    result = {}
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        name, _, text = section.partition("\n")
        for key, rest in re.findall(r"^\| `(\w+)` \| (.*) \|$", text, flags=re.MULTILINE):
            result[name, key] = [cell.strip() for cell in re.split(r"(?<!\\)\|", rest)]
    return result


EVERY_KEY = list(keys(Experiment))


def test_the_walk_reaches_keys_at_every_level():
    names = {(section, field.name) for section, field in EVERY_KEY}
    assert {("(top level)", "distillation"), ("train", "cache_features"), ("data.val", "split")} <= names
    assert {("train.early_stop", "min_delta"), ("unfreeze", "from_"), ("unfreeze.layers", "last")} <= names


@pytest.mark.parametrize(("section", "field"), EVERY_KEY, ids=lambda part: getattr(part, "name", part))
def test_every_key_has_a_row(section, field):
    must_be, default, text = rows()[section, field.name.rstrip("_")]
    is_required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    assert (default == "required") == is_required
    assert must_be and default and len(text) > 5


def test_no_row_is_of_a_key_that_is_not_there():
    assert set(rows()) == {(section, field.name.rstrip("_")) for section, field in EVERY_KEY}
