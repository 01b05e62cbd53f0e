"""Where an augmentation is inserted in a list."""

import pytest
from sounds import augmentation

from ftaug.augment.stages import STAGES, place_in, stage
from ftaug.config.registry import registry

SOUNDS, PICTURES = (registry("augmentation", modality) for modality in ("audio", "image"))


def test_stages_are_in_the_order_of_their_application():
    assert [STAGES[stage(name, SOUNDS)] for name in ("shift", "gain", "time_mask")] == ["time", "wave", "mel"]
    assert stage("rotate", PICTURES) == stage("no such", SOUNDS) == 0


@pytest.mark.parametrize(
    ("listed", "name", "place"),
    [
        ([], "shift", 0),
        (["shift", "gain", "time_mask"], "speed", 1),
        (["shift", "gain", "time_mask"], "equalizer", 2),
        (["shift", "gain", "time_mask"], "frequency_mask", 3),
        (["time_mask"], "speed", 0),
        (["gain"], "noise", 1),
    ],
)
def test_before_those_of_later_stages(listed, name, place):
    assert place_in([augmentation(each) for each in listed], name, SOUNDS) == place


def test_those_inside_others_count():
    chosen = augmentation("one_of", choices=["gain", "time_mask"])
    assert place_in([augmentation("shift"), chosen], "noise", SOUNDS) == 1
    assert place_in([augmentation("shift"), chosen], "time_mask", SOUNDS) == 2
