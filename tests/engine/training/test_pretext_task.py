"""Networks with the outputs of an objective, and views that are augmented independently."""

import numpy as np
import pytest

from ftaug.engine.loading.batches import BatchRequest, batches
from ftaug.engine.loading.split import load_splits
from ftaug.engine.training import pretext_task
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import Progress, fit
from ftaug.engine.training.pretext_task import with_pretext_task
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load

EXPERIMENT = """
data: {train: {digits: {per_class: 3}}, val: null, batch_size: 10, workers: 0}
backbone: {resnet20: {weights: none}}
augment: [{rotate: {degrees: 20}}, {translate: {x: 0.2}}]
train: {epochs: 1, precision: fp32}
"""


def state_of(write, objective):
    experiment = load(write(f"{EXPERIMENT}objective: {objective}\n"))
    return build(experiment, "cpu", load_splits(experiment.data, 0), pretrained=True)


@pytest.mark.parametrize(
    ("objective", "outputs", "targets"),
    [
        ("instance", 30, range(30)),
        ("{vicreg: {dimensions: 8}}", 8, [0] * 30),
        ("{simclr: {dimensions: 8}}", 8, [0] * 30),
    ],
)
def test_the_head_has_the_outputs_of_the_objective_and_is_trained(write, objective, outputs, targets):
    state = state_of(write, objective)
    assert len(state.task.classes) == outputs
    assert state.splits["train"].targets.tolist() == list(targets)
    losses = [float(step.loss) for step in fit(state, Progress())]
    assert len(losses) == 3 and np.isfinite(losses).all()
    assert not any("label" in text or "class" in text for text in state.cautions)


def test_views_are_augmented_independently(write):
    data = state_of(write, "simclr").prepared("train")
    request = BatchRequest(np.arange(4), 0, 0, 0, 1.0)
    first, second = next(batches(data, [request], 0, pin=False)).inputs.chunk(2)
    assert (first != second).flatten(1).any(dim=1).all()
    again = next(batches(data, [request], 0, pin=False)).inputs.chunk(2)
    assert (again[0] == first).all() and (again[1] == second).all()
    single = state_of(write, "instance").prepared("train")
    assert (next(batches(single, [request], 0, pin=False)).inputs == first).all()


def test_too_many_samples_for_an_output_each(write, monkeypatch):
    monkeypatch.setattr(pretext_task, "MAX_SAMPLES", 29)
    experiment = load(write(f"{EXPERIMENT}objective: instance\n"))
    with pytest.raises(ExperimentError, match=r"instance is for up to 29 samples, and data\.train has 30; use vicreg"):
        with_pretext_task(experiment, load_splits(experiment.data, 0))


def test_other_experiments_keep_their_task(write):
    experiment = load(write(EXPERIMENT))
    splits = load_splits(experiment.data, 0)
    assert with_pretext_task(experiment, splits) is splits


def test_views_need_augmentation(write):
    text = EXPERIMENT.replace("augment:", "augment: []\n#")
    with pytest.raises(ExperimentError, match="objective compares augmented views; set augment"):
        load(write(f"{text}objective: vicreg\n"))
