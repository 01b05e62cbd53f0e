"""Both modalities have the functions of the interface."""

import pytest

from ftaug.interfaces.data_health import DataHealth
from ftaug.runs.doctor.scan import data_health


@pytest.mark.parametrize("modality", ["image", "text"])
def test_modalities_implement_it(modality):
    names = {*DataHealth.__annotations__, *(name for name in vars(DataHealth) if not name.startswith("_"))}
    assert names <= {*dir(data_health(modality))}
