"""Networks with the outputs of an objective, and views that are augmented independently."""

import numpy as np
import pytest
from scipy.special import log_softmax

from ftaug.engine.loading.batches import BatchRequest, batches
from ftaug.engine.loading.split import load_splits
from ftaug.engine.training import pretext_task
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import Progress, batch_feed, fit, loss_of
from ftaug.engine.training.micro_batches import device_inputs, targets_of
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
    return state_of_text(write, f"{EXPERIMENT}objective: {objective}\n")


def state_of_text(write, text):
    experiment = load(write(text))
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


def test_beyond_a_number_of_samples_the_head_is_of_low_rank(write, monkeypatch):
    monkeypatch.setattr(pretext_task, "MAX_OUTPUTS", 29)
    monkeypatch.setattr(pretext_task, "RANK", 8)
    state = state_of(write, "instance")
    assert len(state.task.classes) == len(state.counts) == 8 and state.codes.shape == (30, 8)
    batch = next(batch_feed(state, 0))
    network, inputs = state.model.eval(), device_inputs(state, batch)
    logits = network(inputs).detach().numpy() @ state.codes.numpy().T
    smoothed = 0.2 * np.eye(30)[batch.request.ids] + 0.8 / 30
    expected = -(smoothed * log_softmax(logits, axis=1)).sum(axis=1).mean()
    loss = loss_of(state, inputs, targets_of(state, batch), network, 0).value
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    again = state_of(write, "instance")
    assert (again.codes == state.codes).all()
    first = next(iter(fit(state, Progress())))
    assert np.isfinite(float(first.loss)) and state.model.network.fc.weight.grad is None


def test_unlabeled_samples_are_trained_on_too(write):
    text = EXPERIMENT.replace("val: null", "val: null, unlabeled: {digits: {per_class: 2}}")
    state = state_of_text(write, f"{text}objective: instance\n")
    train, pool = state.splits["train"], state.splits["unlabeled"]
    assert len(train) == len(state.task.classes) == 50 == 30 + len(pool) and pool.task.classes == ()
    assert (train.samples.read(int(train.ids[30])) == pool.samples.read(int(pool.ids[0]))).all()
    assert sorted({int(i) for request in state.epochs.requests(0, 5) for i in request.ids}) == list(range(50))
    assert np.isfinite([float(step.loss) for step in fit(state, Progress())]).all()


def test_other_experiments_keep_their_task(write):
    experiment = load(write(EXPERIMENT))
    splits = load_splits(experiment.data, 0)
    assert with_pretext_task(experiment, splits) is splits


def test_views_need_augmentation(write):
    text = EXPERIMENT.replace("augment:", "augment: []\n#")
    with pytest.raises(ExperimentError, match="objective compares augmented views; set augment"):
        load(write(f"{text}objective: vicreg\n"))
