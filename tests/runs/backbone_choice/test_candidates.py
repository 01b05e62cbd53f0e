"""Candidates are validated as values of `backbone`, all of them at once."""

import pytest

from ftaug.errors import ExperimentError
from ftaug.experiment_file import open_experiment
from ftaug.runs.backbone_choice.candidates import candidates_of

CONFIG = "data: {train: digits}\nbackbone: resnet18\n"


def read(write, *among, overrides=()):
    return candidates_of(open_experiment(write(CONFIG)), overrides, among)


def test_names_and_settings(write):
    among = ("resnet18, timm/convnext_nano", "{resnet20: {weights: none}}", "resnet18")
    candidates = read(write, *among, overrides=["input.size=64"])
    assert [each.setting for each in candidates] == [
        "resnet18",
        "timm/convnext_nano",
        "{resnet20: {weights: none}}",
    ]
    assert candidates[2].experiment.backbone.settings["weights"] == "none"
    assert {each.experiment.input.size for each in candidates} == {64}


@pytest.mark.parametrize(
    ("among", "message"),
    [
        ((), "--among: a choice needs two different backbones or more; got none"),
        (("resnet18", "resnet18"), "--among: a choice needs two different backbones or more; got resnet18"),
        (("resnet18,resnet81",), "--among 'resnet81': no backbone 'resnet81'; did you mean 'resnet18'?"),
        (
            ("resnet18,tiny_text",),
            "--among 'tiny_text': the backbone 'tiny_text' is for modality text, but this experiment is image; choose "
            "another, or set modality: text",
        ),
        (("resnet18,{",), "expected names such as resnet18,resnet50"),
    ],
)
def test_errors(write, among, message):
    with pytest.raises(ExperimentError) as error:
        read(write, *among)
    assert message in str(error.value)


def test_all_wrong_names_are_reported_together(write):
    with pytest.raises(ExperimentError) as error:
        read(write, "resnet81,resnet20,alexnot")
    assert [str(problem.place) for problem in error.value.problems] == ["--among 'resnet81'", "--among 'alexnot'"]
