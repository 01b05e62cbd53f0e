import pytest

from ftaug.errors import ExperimentError
from ftaug.experiment_file import MODALITIES, import_components
from ftaug.runs.component_option import parse_component


@pytest.fixture(autouse=True)
def _components():
    for modality in MODALITIES:
        import_components(modality)


def test_a_name_or_a_name_with_settings():
    assert parse_component("explainer", "occlusion", "--method", {"modality": "image"}).settings == {"cells": 8}
    named = parse_component("explainer", "{occlusion: {cells: 4}}", "--method", {"modality": "image"})
    assert (named.name, named.settings) == ("occlusion", {"cells": 4})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("grad_camm", "--method grad_camm: no explainer 'grad_camm'; did you mean 'grad_cam'?"),
        ("leave_one_out", "--method leave_one_out: no explainer 'leave_one_out'"),
        (
            "{occlusion: {cells: 1}}",
            "--method {occlusion: {cells: 1}}: occlusion.cells must be a whole number from 2 to",
        ),
        ("{occlusion: {cell: 4}}", "unknown key 'cell'"),
    ],
)
def test_mistakes_name_the_option(text, message):
    with pytest.raises(ExperimentError) as error:
        parse_component("explainer", text, "--method", {"modality": "image"})
    assert message in str(error.value)
    assert "\n" not in str(error.value)
