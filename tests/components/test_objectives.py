"""Objectives, against the arithmetic of their papers and over real batches."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax

from ftaug.components.losses.classification import cross_entropy
from ftaug.components.objectives import cutoff, jensen_shannon, r_drop
from ftaug.config.kinds import objective as objectives
from ftaug.engine.loading.batches import BatchRequest, batches
from ftaug.engine.loading.split import load_splits
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import Progress, fit
from ftaug.errors import ExperimentError
from ftaug.experiment_file import import_components, load
from ftaug.interfaces.data import MeanLoss, SemiSupervisedViews
from ftaug.text import objective as text_objectives

import_components("text")

EXPERIMENT = """
data: {train: {digits: {per_class: 3}}, val: null, batch_size: 10, workers: 0}
backbone: {resnet20: {weights: none}}
augment: [{rotate: {degrees: 20}}, {augmix: {strength: 1.0}}, {translate: {x: 0.2}}]
objective: {jensen_shannon: {augmented: 2}}
train: {epochs: 1}
"""


def loss(logits, targets):
    return cross_entropy(logits, targets, torch.ones(logits.shape[1]))


def test_two_views_have_the_distance_of_scipy():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(2, 6, 4))
    targets = torch.from_numpy(generator.integers(0, 4, 6))
    views = [torch.from_numpy(view).float() for view in logits]
    found = jensen_shannon(lambda x: x, views, targets, loss, weight=5.0)
    first, second = softmax(logits, axis=2)
    distance = np.mean([jensenshannon(p, q) ** 2 for p, q in zip(first, second, strict=True)])
    assert float(found) == pytest.approx(float(loss(views[0], targets)) + 5 * distance, rel=1e-5)


def test_equal_views_are_at_no_distance():
    logits, targets = torch.randn(5, 3), torch.arange(5) % 3
    assert float(jensen_shannon(lambda x: x, [logits] * 3, targets, loss)) == pytest.approx(
        float(loss(logits, targets))
    )


def test_impossible_answers_cost_something_finite():
    sure = torch.tensor([[1e4, 0.0], [0.0, 1e4]])
    found = jensen_shannon(lambda x: x, [sure, sure.flip(1)], torch.tensor([0, 1]), loss)
    assert torch.isfinite(found)
    assert float(found) == pytest.approx(12 * np.log(2), rel=1e-4)


@pytest.fixture
def state(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(EXPERIMENT)
    experiment = load(file)
    return build(experiment, "cpu", load_splits(experiment.data, experiment.seed), pretrained=False)


def views(state, workers=0, **changes):
    prepared = replace(state.prepared("train"), **changes)
    (batch,) = batches(prepared, [BatchRequest(np.arange(6), 2, 0, 0, 1.0)], workers, pin=False)
    return batch.inputs.chunk(prepared.views)


def test_views_share_all_but_what_varies(state):
    """Without augmix the three are one; with it the first is what the pipeline without augmix makes."""
    plain, first, second = views(state)
    assert plain.shape == first.shape == second.shape == (6, 3, 32, 32)
    differences = [(one.int() - other.int()).abs().float().mean() for one, other in ((plain, first), (first, second))]
    assert min(differences) > 1
    data = state.prepared("train")
    same = views(state, pipeline=data.plain)
    assert torch.equal(same[0], plain)
    assert torch.equal(same[1], plain)
    assert torch.equal(same[2], plain)


def test_views_are_the_same_for_any_number_of_workers(state):
    for one, other in zip(views(state), views(state, workers=2), strict=True):
        assert torch.equal(one, other)


def test_trains_on_the_whole_of_it(state):
    torch.manual_seed(0)
    steps = list(fit(state, Progress()))
    assert len(steps) == 3
    assert all(torch.isfinite(step.loss) for step in steps)
    assert [step.samples for step in steps] == [10, 10, 10]


def test_r_drop_is_the_papers_halved():
    """Its terms are those of the paper, (3) and (4), with α twice the weight."""
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(2, 6, 4))
    targets = torch.from_numpy(generator.integers(0, 4, 6))
    answers = torch.from_numpy(np.concatenate([first, second])).float()
    found = r_drop(lambda batch: answers if len(batch) == 12 else None, [torch.zeros(6, 1)], targets, loss, weight=0.7)
    one, other = softmax(first, axis=1), softmax(second, axis=1)
    picked = np.arange(6), targets.numpy()
    nll = -np.log(one[picked]) - np.log(other[picked])
    divergence = ((one * np.log(one / other)).sum(1) + (other * np.log(other / one)).sum(1)) / 2
    assert float(found) == pytest.approx((nll + 2 * 0.7 * divergence).mean() / 2, rel=1e-5)


def test_r_drop_drops_differently_in_one_pass():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(8, 3))
    batch, targets = torch.ones(5, 8), torch.arange(5) % 3
    plain = r_drop(network.eval(), [batch], targets, loss)
    assert float(plain.detach()) == pytest.approx(float(loss(network(batch), targets).detach()), rel=1e-5)
    torch.manual_seed(0)
    with_distance = r_drop(network.train(), [batch], targets, loss, weight=1.0)
    torch.manual_seed(0)
    assert float((with_distance - r_drop(network, [batch], targets, loss, weight=0.0)).detach()) > 0.01


def test_cutoff_is_the_papers():
    """(2): the loss, α times that of the view, β times the divergence from the mean of both."""
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(2, 6, 4))
    targets = torch.from_numpy(generator.integers(0, 4, 6))
    views = [torch.from_numpy(view).float() for view in logits]
    found = cutoff(lambda x: x, views, targets, loss, weight=0.5, consistency=2.0)
    one, other = softmax(logits, axis=2)
    mean = (one + other) / 2
    divergence = ((one * np.log(one / mean)).sum(1) + (other * np.log(other / mean)).sum(1)) / 2
    picked = np.arange(6), targets.numpy()
    expected = -np.log(one[picked]) - 0.5 * np.log(other[picked]) + 2.0 * divergence
    assert float(found) == pytest.approx(expected.mean(), rel=1e-5)


def test_answers_of_several_labels_are_not_compared_by_softmax(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(f"{EXPERIMENT}loss: binary_cross_entropy\n")
    with pytest.raises(ExperimentError, match=r"a.yaml:5:\d+: objective compares predictions by softmax, but the loss"):
        load(file)


def comparing(name):
    """Logits of all samples in two views or one, and the objective of some of the samples."""
    generator = torch.Generator().manual_seed(0)
    views = [torch.randn(7, 4, generator=generator, dtype=torch.float64) for _ in range(1 if name == "r_drop" else 2)]
    targets = torch.arange(7) % 4

    def of(rows):
        return objectives[name].function(lambda x: x, [view[rows] for view in views], targets[rows], loss)

    return of


def masking(name):
    """Texts of unequal length: some parts have many hidden tokens, one has none."""
    lengths = [30, 3, 12, 2, 25, 2, 2]
    tokens = torch.zeros(7, 3, 30, dtype=torch.int64)
    for row, length in enumerate(lengths):
        tokens[row, 0, :length] = torch.arange(10, 10 + length)
        tokens[row, 1, :length] = 1
    luck = torch.rand(7, 30, generator=torch.Generator().manual_seed(1))
    table = torch.randn(60, 60, generator=torch.Generator().manual_seed(2))

    def of(rows):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch, "rand", lambda *_, **__: luck[rows])
            forward = lambda planes: table[planes[:, 0][planes[:, 3] > 0]]  # noqa: E731
            return text_objectives[name].function(forward, [tokens[rows]], torch.zeros(7), None, share=0.5)

    return of


def discriminating(name):
    """Logits of all samples, each a class of its own."""
    logits = torch.randn(7, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return lambda rows: objectives[name].function(lambda x: x, [logits[rows]], torch.arange(7)[rows], loss)


def imitating(name):
    """Embeddings of all samples, and those of the teacher."""
    own, teacher = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0)) * 3
    return lambda rows: objectives[name].function(lambda x: x, [own[rows]], teacher[rows], loss, teacher=None)


def with_unlabeled(name):
    """Labeled samples, each with an unlabeled one, by means of earlier steps."""
    logits = torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 3
    earlier = SimpleNamespace(values=torch.tensor([0.8, 0.7, *[0.25] * 4]), observe=lambda values: None)

    def of(rows):
        views = SemiSupervisedViews(*(view[rows] for view in logits), earlier, 1.0)
        return objectives[name].function(lambda x: x, views, torch.arange(7)[rows] % 4, loss)

    return of


BETWEEN_SAMPLES = {name for name in objectives if not objectives[name].facts["per_sample"]}
BY_NAME = {
    "jensen_shannon": comparing,
    "r_drop": comparing,
    "cutoff": comparing,
    "masked_tokens": masking,
    "instance": discriminating,
    "soft_match": with_unlabeled,
    "feature_distillation": imitating,
}


@pytest.mark.parametrize("name", sorted({*objectives, *text_objectives} - BETWEEN_SAMPLES))
@pytest.mark.parametrize("sizes", [[3, 4], [1, 5, 1], [5, 2], [1] * 7])
def test_parts_of_a_step_add_up_to_the_whole(name, sizes):
    """Each weighted by what it is the mean of: its samples, unless it says something else."""
    of = BY_NAME[name](name)
    whole = of(slice(0, 7))
    total = items = 0.0
    for rows in (slice(sum(sizes[:i]), sum(sizes[: i + 1])) for i in range(len(sizes))):
        part = of(rows)
        value, count = part if isinstance(part, MeanLoss) else (part, rows.stop - rows.start)
        total, items = total + float(value) * count, items + count
    assert total / items == pytest.approx(float(whole.value if isinstance(whole, MeanLoss) else whole), rel=1e-5)
