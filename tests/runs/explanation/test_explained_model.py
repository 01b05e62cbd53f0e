from types import SimpleNamespace

import pytest
import torch
from explained import pixels
from torch import nn
from trial_networks import backbone

from ftaug.engine.training.state import Model
from ftaug.image.explainers.cam import grad_cam
from ftaug.image.samples import Normalize
from ftaug.runs.explanation.explained_model import ExplainedModel


class Opened:
    """What of a trained model is read."""

    def __init__(self, dtype=torch.float32, units=None):
        built = backbone("resnet20")
        self.experiment = SimpleNamespace(modality="image")
        normalizer = Normalize([0.5] * 3, [0.5] * 3)
        self.model = Model(normalizer, built.network.to(dtype), units or nn.Identity()).eval()
        self.stages, self.activation, self.batch_size = built.stages, "softmax", 4


def test_weights_in_fp32_are_used_as_they_are():
    opened = Opened()
    assert ExplainedModel.of(opened).model is opened.model


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_fp32_and_left_as_it_is(dtype):
    opened = Opened(dtype)
    before = {name: tensor.clone() for name, tensor in opened.model.state_dict().items()}
    model = ExplainedModel.of(opened)
    assert {tensor.dtype for tensor in model.model.parameters()} == {torch.float32}
    attribution = grad_cam(model.output(1), pixels())
    full = Opened()
    full.model.network.load_state_dict(opened.model.network.state_dict())
    assert attribution.values == pytest.approx(grad_cam(ExplainedModel.of(full).output(1), pixels()).values, abs=1e-5)
    after = opened.model.state_dict()
    assert all(torch.equal(before[name], after[name]) and after[name].dtype == before[name].dtype for name in before)


def test_re_drawn_weights_are_the_same_numbers_in_another_order_in_a_copy():
    model = ExplainedModel.of(Opened())
    digest = model.digest()
    redrawn = model.with_redrawn_weights(0)
    assert model.digest() == digest != redrawn.digest()
    assert redrawn.digest() == model.with_redrawn_weights(0).digest() != model.with_redrawn_weights(1).digest()
    for (name, first), second in zip(model.model.named_parameters(), redrawn.model.parameters(), strict=True):
        assert torch.equal(first.flatten().sort().values, second.flatten().sort().values)
        assert torch.equal(first, second) == (first.ndim == 1), name


def test_predictions_are_probabilities_in_batches():
    model = ExplainedModel.of(Opened())
    batch = torch.cat([pixels(seed=seed) for seed in range(6)])
    with torch.no_grad():
        expected = model.model(batch).softmax(dim=1)
    assert model.predict(batch) == pytest.approx(expected.numpy(), abs=1e-6)


def test_of_sounds_the_spectrogram_is_explained():
    opened = Opened()
    assert ExplainedModel.for_explainers(opened).model is opened.model
    opened.experiment.modality = "audio"
    explained = ExplainedModel.for_explainers(opened)
    inputs = explained.inputs(pixels())
    assert torch.equal(inputs, opened.model.normalizer(pixels()))
    assert torch.equal(explained.model(inputs), opened.model(pixels()))
    assert explained.model.network is opened.model.network
