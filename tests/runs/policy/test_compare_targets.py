"""Folders of the backbones of a transfer."""

import re

from ftaug.runs.policy.compare_targets import folder_name
from ftaug.runs.policy.transfer import TransferTarget


def name(backbone):
    return folder_name(TransferTarget(backbone, (), None))


def test_names_are_those_of_folders_and_differ():
    assert name("resnet18") == "resnet18"
    names = {name(each) for each in ("timm/a.b", "timm-a.b", "{resnet20: {weights: none}}", "{resnet20: {weights: x}}")}
    assert len(names) == 4
    assert all(re.fullmatch(r"[\w.-]+", each) for each in names)
