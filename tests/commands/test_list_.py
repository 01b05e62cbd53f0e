"""`ftaug list`: kinds, names, or one component with its settings."""

import dataclasses
import inspect
import json

import pytest

from ftaug.cli import run
from ftaug.components.schedules import cosine
from ftaug.config.experiment import Data, Experiment, Train
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
        (["augmentations"], "no kind, component or key 'augmentations'; did you mean 'augmentation'?\n"),
        (["hflip"], "no kind, component or key 'hflip'; in ftaug it is horizontal_flip\n"),
        (["augmentation", "RandomRotation"], "no augmentation 'RandomRotation'; in ftaug it is rotate\n"),
        (["train", "epoch"], "no kind, component or key 'train.epoch'; did you mean 'train.epochs'?\n"),
        (["evaluate", "views"], "no kind, component or key 'evaluate.views'; it was renamed to 'evaluate.tta'\n"),
        (["distil"], "no kind, component or key 'distil'; it was renamed to 'distillation'\n"),
        (["squared_error"], "no kind, component or key 'squared_error'; it was renamed to mse\n"),
        (["augmentation", "rotat"], "no augmentation 'rotat'; did you mean 'rotate'?\n"),
    ],
)
def test_unknown_names(arguments, message, capsys):
    assert run(["list", *arguments]) == 2
    assert capsys.readouterr() == ("", message)


def test_a_section_of_the_file_with_its_keys(listed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = listed("train")
    assert text.splitlines()[0] == inspect.getdoc(Train).splitlines()[0]
    shown = {line.split()[0]: line.split()[1] for line in text.splitlines()[2:] if line[:3].strip()}
    assert list(shown) == [field.name for field in dataclasses.fields(Train)]
    assert (shown["epochs"], shown["compile"]) == ("10", "false")
    assert json.loads(listed("lr", "--json"))["keys"]["peak"]["default"] == 0.001
    assert set(json.loads(listed("data", "--json"))["keys"]) == {field.name for field in dataclasses.fields(Data)}
    keys = [line.split()[0] for line in listed("experiment").splitlines()[2:] if line[:3].strip()]
    assert keys == [field.name for field in dataclasses.fields(Experiment)]
    assert set(json.loads(listed("data.val", "--json"))["keys"]) == {"split", "fold", "of"}
    assert listed("unfreeze").startswith('unfreeze  ["all"]  what learns: ')


def test_a_key_wherever_it_is(listed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert listed("epochs") == listed("train", "epochs") == listed("train.epochs")
    assert listed("epochs").startswith("train.epochs  10  passes over the training samples")
    assert listed("augment").splitlines()[1] == "  see ftaug list augmentation"
    assert set(json.loads(listed("batch_size", "--json"))) == {"data.batch_size", "evaluate.batch_size"}


def test_a_component_by_its_name_alone(listed):
    assert listed("rotate") == f"augmentation rotate:\n\n{listed('augmentation', 'rotate')}"
    assert json.loads(listed("rotate", "--json")) == json.loads(listed("augmentation", "rotate", "--json"))
    assert set(json.loads(listed("one_of", "--json"))) == {"augmentation", "mix"}
    assert json.loads(listed("colour_jitter", "--json"))["name"] == "color_jitter"
    assert listed("timm/resnet18").startswith("backbone timm/resnet18:")
