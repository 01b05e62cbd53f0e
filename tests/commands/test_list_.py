"""`ftaug list`: kinds, names, or one component with its settings."""

import inspect
import json

import pytest

from ftaug.cli import run
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
