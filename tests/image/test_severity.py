"""Every op's effect grows with its severity, from nothing."""

from itertools import pairwise

import numpy as np
import pytest
from pictures import AUGMENTATIONS, augmentation, augmented, texture

from ftaug.config.registry import REGISTRIES
from ftaug.config.severity import at_severity, governed

ENTRIES = REGISTRIES["augmentation", "image"]
WITH_SEVERITY = [name for name in AUGMENTATIONS if governed(ENTRIES[name])]
WITHOUT = {"center_crop", "resize"}
WEAKEST_IS_NOT_NOTHING = {
    "random_erasing": 0.6,  # one pixel
    "jpeg": 4,  # at quality 100 colors are still stored at half the size
    "random_resized_crop": 20,  # the shape of the window is drawn still
    "simclr": 40,  # crops and mirrors still
    "moco": 40,
}
EPOCHS = 24


def change(name, severity, picture):
    """The mean change of a value over many draws."""
    op = at_severity(augmentation(name), severity)
    results = [augmented(picture, op, epoch=epoch) for epoch in range(EPOCHS)]
    assert {(result.shape, result.dtype) for result in results} == {(picture.shape, picture.dtype)}
    return np.mean([np.abs(result.astype(int) - picture).mean() for result in results])


def test_only_resizing_has_none():
    """Of the ops that `--severity-grid` shows; a new op may do without."""
    assert len(WITH_SEVERITY) >= 50
    assert WITHOUT.isdisjoint(WITH_SEVERITY)


@pytest.mark.parametrize("name", WITH_SEVERITY)
def test_grows_from_nothing(name):
    picture = texture(64, 64, finest=2)
    changes = [change(name, severity, picture) for severity in (0, 0.33, 0.66, 1)]
    assert changes[0] <= WEAKEST_IS_NOT_NOTHING.get(name, 0)
    assert all(later > 0.98 * earlier for earlier, later in pairwise(changes)), changes
    assert changes[-1] > changes[0] + 1


@pytest.mark.parametrize("name", WITH_SEVERITY)
@pytest.mark.parametrize("severity", [0, 0.25, 0.5, 1])
def test_stands_for_settings_that_are_allowed(name, severity):
    moved = at_severity(augmentation(name), severity)
    assert moved == augmentation(name, severity=severity)
    assert moved == augmentation(name, **moved.settings)
