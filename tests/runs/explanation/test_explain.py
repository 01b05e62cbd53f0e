import numpy as np
import pytest
from explained import linear_output, output_of, pixels

from ftaug.config.schema import component_named
from ftaug.errors import ExperimentError
from ftaug.experiment_file import import_components
from ftaug.interfaces.data import Task
from ftaug.runs.explanation import explain
from ftaug.runs.explanation.explain import MOST_STEPS, Explainer, described, output_index, refined

LABELS = Task(("cat", "dog", "fox"), multi_label=True, thresholds=(0.5, 0.2, 0.5))
NUMBERS = Task(("width", "height"), regression=True)
CLASSES = Task(("cat", "dog", "fox"))


class Opened:
    def __init__(self, task):
        self.task = task


@pytest.mark.parametrize(
    ("task", "index", "predicted", "outputs", "text"),
    [
        (CLASSES, None, [0.1, 0.7, 0.2], [1], "predicted dog (0.700)"),
        (CLASSES, 2, [0.1, 0.7, 0.2], [2], "predicted dog (0.700)"),
        (LABELS, None, [0.6, 0.3, 0.4], [0, 1], "predicted cat (0.600), dog (0.300)"),
        (LABELS, None, [0.1, 0.1, 0.4], [2], "predicted no label"),
        (NUMBERS, None, [12.5, -3.0], [0, 1], "predicted width 12.5, height -3"),
    ],
)
def test_what_is_explained_of_each_task(task, index, predicted, outputs, text):
    predicted = np.array(predicted)
    assert Explainer(Opened(task), None, None, index)._outputs(predicted) == outputs
    assert described(task, predicted) == text


def test_a_class_or_a_target_by_its_name():
    assert output_index(CLASSES, None) is None
    assert output_index(CLASSES, "dog") == 1
    assert output_index(NUMBERS, "height") == 1
    with pytest.raises(ExperimentError, match="--class dgo: the run has no class 'dgo'; did you mean 'dog'"):
        output_index(CLASSES, "dgo")
    with pytest.raises(ExperimentError, match="no target 'widht'; did you mean 'width'"):
        output_index(NUMBERS, "widht")


def test_steps_are_doubled_until_the_values_add_up(monkeypatch):
    monkeypatch.setattr(explain, "TOLERANCE", 0.005)
    import_components("image")
    method = component_named("explainer", "integrated_gradients", "image", {"steps": 1})
    output = output_of("resnet20")
    assert method(output, pixels()).figures["completeness_error"] > 0.005
    attribution = refined(method, output, pixels())
    assert attribution.figures["completeness_error"] < 0.005
    assert 1 < attribution.figures["steps"] <= MOST_STEPS
    assert np.log2(attribution.figures["steps"]).is_integer()
    assert method.settings["steps"] == 1


def test_methods_without_steps_run_once():
    import_components("image")
    method = component_named("explainer", "occlusion", "image")
    assert refined(method, linear_output(32, 32), pixels()).values.shape == (8, 8)
