"""The average of the weights."""

import torch
from torch import nn

from ftaug.engine.training.weight_averaging import Average, Ema, Swa


def test_average_follows_the_formula_with_warm_up() -> None:
    network = nn.Linear(3, 2)
    expected = network.weight.detach().clone().double()
    average = Average(network, Ema(0.9))
    for step in range(1, 200):
        with torch.no_grad():
            network.weight.add_(torch.randn_like(network.weight, generator=None))
        average.update(network, step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * network.weight.detach().double()
    torch.testing.assert_close(average.tensors["weight"].double(), expected, rtol=1e-5, atol=1e-5)


def test_buffers_are_taken_as_they_are() -> None:
    network = nn.BatchNorm1d(3)
    average = Average(network, Ema(0.99))
    network(torch.randn(16, 3))
    average.update(network, 1)
    for name, value in network.named_buffers():
        assert torch.equal(average.tensors[name], value)


def test_copy_to_and_load_give_back_the_average() -> None:
    network, other = nn.Linear(3, 2), nn.Linear(3, 2)
    average = Average(network, Ema(0.5))
    average.copy_to(other)
    assert torch.equal(other.weight, network.weight)
    average.load({name: value + 1 for name, value in average.tensors.items()})
    assert torch.equal(average.tensors["bias"], network.bias.detach() + 1)


def test_an_equal_average_is_the_mean_of_the_steps_from_the_first_on() -> None:
    network = nn.Linear(3, 2)
    average = Average(network, Swa(4))
    seen = []
    for step in range(1, 9):
        with torch.no_grad():
            network.weight.add_(torch.randn_like(network.weight))
        average.update(network, step)
        seen.append(network.weight.detach().clone())
        expected = torch.stack(seen[3:]).mean(0) if step >= 4 else seen[-1]
        torch.testing.assert_close(average.tensors["weight"], expected)
    assert [step for step in range(1, 9) if average.over.spans(step)] == [5, 6, 7, 8]
