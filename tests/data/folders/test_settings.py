"""Settings of folder datasets are explained by their types."""

import inspect

import pytest

from ftaug.config.registry import REGISTRIES
from ftaug.experiment_file import MODALITIES, import_components

for modality in MODALITIES:
    import_components(modality)


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_folder_dataset_explains_them_alike(modality):
    parameters = inspect.signature(REGISTRIES["dataset", modality][f"{modality}_folder"].function).parameters
    assert (parameters["path"].annotation, parameters["outside_links"].annotation) == ("ClassesPath", "OutsideLinks")
