"""BatchNorm's statistics, measured anew."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn

from ftaug.engine.loading.batches import Batch
from ftaug.engine.system.device import Device
from ftaug.engine.training.batchnorm import recompute_statistics

CPU = Device(torch.device("cpu"), "fp32", {})


def batch(size):
    return Batch(torch.randn(size, 3, 4, 4) * 2 + 1, torch.zeros(size), SimpleNamespace(ids=range(size)))


def test_statistics_are_the_mean_over_batches_and_nothing_else_moves():
    torch.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, momentum=0.3))
    model(torch.randn(8, 3, 4, 4))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    feed = [batch(8), batch(1), batch(4)]
    recompute_statistics(model, [model[2]], feed, CPU)
    seen = [model[1](model[0](one.inputs)).detach().numpy().swapaxes(0, 1).reshape(3, -1) for one in feed]
    means = np.mean([seen[0].mean(1), seen[2].mean(1)], axis=0)
    variances = np.mean([seen[0].var(1, ddof=1), seen[2].var(1, ddof=1)], axis=0)
    np.testing.assert_allclose(model[2].running_mean, means, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model[2].running_var, variances, rtol=1e-4)
    assert model[2].momentum == 0.3 and not any(module.training for module in model.modules())
    moved = {"2.running_mean", "2.running_var", "2.num_batches_tracked"}
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items() if name not in moved)
