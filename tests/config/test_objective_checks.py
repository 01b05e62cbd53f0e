"""Loss, objective, distillation and mixing that contradict each other are errors with a place."""

import pytest

from ftaug.errors import ExperimentError
from ftaug.experiment_file import load

FILE = """
data: {train: digits, val: digits, unlabeled: {image_files: {path: .}}}
backbone: resnet20
augment: [rotate, trivial_augment]
objective: soft_match
"""


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["objective=null"], "data.unlabeled has no effect: no objective trains on samples without labels"),
        (["objective=jensen_shannon"], "data.unlabeled has no effect: no objective trains on samples without labels"),
        (["data.unlabeled=null"], "objective soft_match also trains on samples without labels; set data.unlabeled"),
        (["augment=[rotate]"], "objective compares views, but no augmentation makes them differ"),
        (["data.val={image_files: {path: .}}"], "data.val needs labels, and image_files has none; use it for data.unl"),
        (["data.train={image_files: {path: .}}"], "data.train needs labels, and image_files has none; use it for data"),
        (["loss=binary_cross_entropy"], "objective compares predictions by softmax"),
    ],
)
def test_contradictions_are_errors(write, overrides, message):
    with pytest.raises(ExperimentError) as error:
        load(write(FILE), overrides)
    assert any(message in problem.message for problem in error.value.problems)


def test_samples_without_labels_go_with_objectives_that_use_them(write):
    assert load(write(FILE)).data.unlabeled.name == "image_files"
    alone = ["data.train={image_files: {path: .}}", "data.val=null", "objective=instance"]
    assert load(write(FILE), alone).objective.name == "instance"
