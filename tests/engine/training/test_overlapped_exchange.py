"""The overlapped exchange of gradients, against the sum over the processes."""

import pytest
import torch
from processes import in_ranks
from torch import nn

from ftaug.engine.training import overlapped_exchange
from ftaug.engine.training.overlapped_exchange import OverlappedExchange
from ftaug.engine.training.step_parts import take_gradients

SIZE = 2


def network():
    torch.manual_seed(0)
    layers = nn.ModuleDict({name: nn.Linear(4, 4) for name in ("stem", "unused", "skipped", "head")})
    layers["conv"] = nn.Conv2d(4, 4, 3).to(memory_format=torch.channels_last)
    return layers


def loss_of(layers, rank):
    """The layer `skipped` is used by rank 1 only, `unused` by none."""
    generator = torch.Generator().manual_seed(rank)
    values = layers["stem"](torch.randn(8, 4, generator=generator))
    images = layers["conv"](values.reshape(2, 4, 4, 1).expand(2, 4, 4, 4))
    if rank:
        values = layers["skipped"](values)
    return layers["head"](values).square().mean() + images.square().mean()


def exchanged(ranks):
    layers = network()
    parameters = list(layers.parameters())
    exchange = OverlappedExchange(ranks, parameters)
    loss = loss_of(layers, ranks.rank)
    (loss / 2).backward()  # an earlier micro-batch
    with exchange.overlap():
        (loss_of(layers, ranks.rank) / 2).backward()
        started = len(exchange._sums)
    total = exchange.finish(take_gradients(parameters, loss.detach(), 1.0, 8, torch.zeros(0)))
    return (
        started,
        len(exchange._buckets),
        total.totals.tolist(),
        [None if each is None else each.tolist() for each in total.gradients],
    )


@pytest.mark.parametrize(("size", "buckets"), [(1, 10), (100, 3), (4e6, 1)])
def test_the_sum_is_that_of_all_processes(tmp_path, monkeypatch, size, buckets) -> None:
    monkeypatch.setattr(overlapped_exchange, "BUCKET", size)
    expected, losses = network(), []
    for rank in range(SIZE):
        loss = loss_of(expected, rank)
        losses.append(loss.item())
        loss.backward()
    results = in_ranks(tmp_path, SIZE, exchanged)
    gradients = [parameter.grad for parameter in expected.parameters()]
    for started, count, totals, found in results:
        assert count == buckets
        assert started < buckets  # those with unused layers wait for the end of the backward pass
        torch.testing.assert_close(totals, [sum(losses), float(SIZE), SIZE * 8.0], rtol=1e-6, atol=0)
        for gradient, values in zip(gradients, found, strict=True):
            if gradient is None:
                assert values is None
            else:
                torch.testing.assert_close(torch.tensor(values), gradient)


def test_buckets_start_during_the_backward_pass(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(overlapped_exchange, "BUCKET", 1)

    def action(ranks):
        layers = nn.Sequential(*(nn.Linear(4, 4) for _ in range(3)))
        exchange = OverlappedExchange(ranks, list(layers.parameters()))
        with exchange.overlap():
            layers(torch.ones(2, 4)).sum().backward()
            return len(exchange._sums)

    assert in_ranks(tmp_path, SIZE, action) == [6, 6]
