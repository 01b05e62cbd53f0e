"""`ftaug list`: kinds, names, or one component with its settings."""

import inspect
import json

import pytest

from ftaug.cli import run
from ftaug.components.schedules import cosine
from ftaug.image.augmentations.geometry import rotate


@pytest.fixture
def listed(capsys):
    def listed(*arguments: str) -> str:
        assert run(["list", *arguments]) == 0
        return capsys.readouterr().out

    return listed


def test_kinds(listed):
    lines = {line.split()[0]: line for line in listed().splitlines() if not line.startswith(" ")}
    assert {"augmentation", "backbone", "dataset", "exporter", "loss", "metric", "mix", "optimizer", "schedule"} <= set(
        lines
    )


def test_names_of_a_kind_with_their_first_lines(listed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    lines = [line for line in listed("schedule").splitlines() if not line.startswith(" ")]
    names = [line.split()[0] for line in lines]
    assert names == sorted(names)
    assert any(line.split(maxsplit=1) == ["cosine", inspect.getdoc(cosine).splitlines()[0]] for line in lines)


def test_one_component(listed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = listed("augmentation", "rotate")
    assert text.splitlines()[0] == inspect.getdoc(rotate).splitlines()[0]
    (line,) = [line for line in text.splitlines() if line.split()[:1] == ["degrees"]]
    assert line.split()[1] == str(inspect.signature(rotate).parameters["degrees"].default)
    assert line.endswith("(an angle from 0 to 360 degrees)")


def test_lines_keep_to_the_terminal(listed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, listed("augmentation").splitlines())) <= 80


def test_as_json(listed):
    assert json.loads(listed("--json"))["optimizer"] == list(json.loads(listed("optimizer", "--json")))
    described = json.loads(listed("augmentation", "rotate", "--json"))
    parameters = inspect.signature(rotate).parameters.values()
    settings = [p.name.rstrip("_") for p in parameters if p.kind is p.KEYWORD_ONLY]
    assert list(described["settings"]) == [*settings, "severity"]
    assert described["settings"]["degrees"]["default"] == 15.0
    path = json.loads(listed("dataset", "image_folder", "--json"))["settings"]["path"]
    assert path["required"] is True


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["augmentations"], "no kind 'augmentations'; did you mean 'augmentation'?\n"),
        (["augmentation", "rotat"], "no augmentation 'rotat'; did you mean 'rotate'?\n"),
    ],
)
def test_unknown_names(arguments, message, capsys):
    assert run(["list", *arguments]) == 2
    assert capsys.readouterr() == ("", message)
