"""Scales of numbers: what the loss and the user see, and what goes into the last layer of an export."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler
from torch import nn

from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.target_scaling import TargetScaler, Unscale, fold, in_fp32
from ftaug.errors import BadData
from ftaug.interfaces.data import Task

TASK = Task(("price", "weight"), regression=True)
VALUES = (np.random.default_rng(0).normal(size=(50, 2)) * [300, 0.01] + [1000, 5]).astype(np.float32)


def split(values):
    return DataSplit("train", None, np.arange(len(values)), values, TASK)


def test_the_scale_is_sklearns_and_its_way_back_is_exact():
    scale = TargetScaler.of(split(VALUES))
    oracle = StandardScaler().fit(VALUES.astype(np.float64))
    np.testing.assert_allclose(scale.mean, oracle.mean_)
    np.testing.assert_allclose(scale.std, oracle.scale_)
    standard = scale.standard(torch.from_numpy(VALUES))
    np.testing.assert_allclose(standard, oracle.transform(VALUES.astype(np.float64)), atol=2e-3)
    np.testing.assert_allclose(Unscale(scale)(standard), VALUES, rtol=1e-6)


def test_half_precision_outputs_are_scaled_in_float64():
    out = Unscale(TargetScaler((1000.0,), (3.0,)))(torch.tensor([[0.5]], dtype=torch.bfloat16))
    assert out.dtype == torch.float64 and out.item() == 1001.5


def test_a_number_that_is_always_the_same_is_refused():
    values = VALUES.copy()
    values[:, 1] = 2
    with pytest.raises(BadData, match=r"data\.train: weight is the same for every sample"):
        TargetScaler.of(split(values))


def test_a_scale_in_the_last_layer_gives_the_same_answers():
    scale, inputs = TargetScaler((1000.0, -3.0), (50.0, 0.1)), torch.randn(8, 6)
    network = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))
    with torch.no_grad():
        expected = Unscale(scale)(network(inputs))
        assert fold(network, scale, inputs)
        torch.testing.assert_close(network(inputs).double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.Linear(6, 2), nn.Tanh()),
        nn.Sequential(nn.Linear(6, 2, bias=False)),
        nn.Sequential(nn.Linear(6, 4), nn.Unflatten(1, (2, 2)), nn.AvgPool1d(2), nn.Flatten()),
    ],
    ids=["not the last step", "no bias", "another width"],
)
def test_where_it_cannot_go_in_nothing_changes(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert not fold(network, TargetScaler((1000.0, -3.0), (50.0, 0.1)), torch.randn(8, 6))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


SECONDS = np.array([[1_700_000_000.25], [1_700_000_000.5], [1_700_000_001.0]])


def test_numbers_that_float32_cannot_tell_apart_keep_their_differences():
    assert len(np.unique(SECONDS.astype(np.float32))) == 1
    scale = TargetScaler.of(DataSplit("train", None, np.arange(3), SECONDS, Task(("time",), regression=True)))
    standard = scale.standard(torch.from_numpy(SECONDS))
    assert standard.dtype == torch.float32
    np.testing.assert_allclose(standard, StandardScaler().fit_transform(SECONDS), rtol=1e-6)
    np.testing.assert_allclose(Unscale(scale)(standard), SECONDS, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("mean", "std", "dtype"),
    [
        (1.7e9, 0.5, torch.float64),
        (1e-47, 1e-47, torch.float64),
        (0.0, 1e40, torch.float64),
        (100.0, 0.5, torch.float32),
    ],
)
def test_an_export_answers_in_float64_where_float32_would_round_too_much(mean, std, dtype):
    model = nn.Sequential(nn.Linear(3, 1).double(), Unscale(TargetScaler((mean,), (std,))))
    exported = in_fp32(model)
    assert exported[0].weight.dtype == torch.float32 and not exported.training
    inputs = torch.randn(4, 3)
    answer = exported(inputs)
    assert answer.dtype == dtype
    expected = exported[0](inputs).double() * std + mean
    torch.testing.assert_close(answer.double() / std, expected / std, rtol=1e-12, atol=1e-4)
