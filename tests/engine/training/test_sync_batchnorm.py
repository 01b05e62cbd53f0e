"""BatchNorm over several processes is that of torch on all samples at once."""

import copy

import pytest
import torch
from processes import in_ranks
from torch import nn

from ftaug.engine.system.ranks import ALONE
from ftaug.engine.training.sync_batchnorm import synchronize

BATCH = torch.randn(7, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 5 + 100


def norms(affine=True, momentum=0.3):
    torch.manual_seed(1)
    norm = nn.BatchNorm2d(3, affine=affine, momentum=momentum)
    if affine:
        nn.init.normal_(norm.weight), nn.init.normal_(norm.bias)
    return nn.Sequential(norm)


def results(network, batch):
    """Outputs, gradients of inputs and weights, and the running statistics of two batches."""
    inputs = batch.clone().requires_grad_()
    for scale in (1, 2):
        outputs = network(inputs * scale)
        (outputs * torch.linspace(0, 1, 48).view(3, 4, 4)).square().sum().backward()
    gradients = [parameter.grad for parameter in network.parameters()]
    network.eval()
    return outputs.detach(), inputs.grad, gradients, network.state_dict(), network(batch).detach()


@pytest.mark.parametrize("settings", [{}, {"affine": False}, {"momentum": None}], ids=str)
def test_shares_of_a_batch_are_the_whole(tmp_path, settings) -> None:
    shares = BATCH[:4], BATCH[4:]

    def action(ranks):
        network = norms(**settings)
        synchronize(network, ranks)
        return results(network, shares[ranks.rank])

    first, second = in_ranks(tmp_path, 2, action)
    expected = results(norms(**settings), BATCH)
    near = {"rtol": 1e-4, "atol": 1e-4}
    for position in (0, 1, 4):
        torch.testing.assert_close(torch.cat([first[position], second[position]]), expected[position], **near)
    for one_share, other_share, whole in zip(first[2], second[2], expected[2], strict=True):
        torch.testing.assert_close(one_share + other_share, whole, rtol=1e-4, atol=1e-3)
    for statistics in (first[3], second[3]):
        torch.testing.assert_close(statistics, expected[3], **near)


def test_a_frozen_layer_is_not_synchronized(tmp_path) -> None:
    def action(ranks):
        network = norms().eval()
        synchronize(network, ranks)
        if ranks.rank == 0:  # the other process computes nothing
            torch.testing.assert_close(network(BATCH), norms().eval()(BATCH))
        return True

    assert in_ranks(tmp_path, 2, action) == [True, True]


def test_a_copy_has_layers_of_its_own(tmp_path) -> None:
    def action(ranks):
        network = norms()
        synchronize(network, ranks)
        copied = copy.deepcopy(network)
        copied[0].weight.data.fill_(0)
        copied[0].bias.data.fill_(2)
        return copied(BATCH).detach(), copied[0].running_mean - network[0].running_mean

    for outputs, moved in in_ranks(tmp_path, 2, action):
        torch.testing.assert_close(outputs, torch.full_like(BATCH, 2))
        assert (moved.abs() > 1).all()  # the statistics of the copy were updated, those of the network not


def test_a_single_process_needs_nothing() -> None:
    network = norms()
    synchronize(network, ALONE)
    assert "forward" not in vars(network[0])
