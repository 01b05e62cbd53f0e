import copy
import io

import pytest
import torch
from torch import nn

from ftaug.components.optimizers import optimizers
from ftaug.config.kinds import optimizer as registry
from ftaug.engine.training.optimizer_state import load_optimizer, optimizer_tensors
from ftaug.errors import ExperimentError

PLAIN = {
    "sgd": (torch.optim.SGD, {"momentum": 0.9}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.01}),
    "nadam": (torch.optim.NAdam, {"weight_decay": 0.01, "decoupled_weight_decay": True}),
    "radam": (torch.optim.RAdam, {"weight_decay": 0.01, "decoupled_weight_decay": True}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adagrad": (torch.optim.Adagrad, {}),
}


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * 36, 5))


def groups_of(net, lr=1e-2):
    matrices = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    return [
        {"params": matrices, "lr": lr, "decays": True, "name": "all", "hidden": [True] * len(matrices)},
        {"params": others, "lr": lr / 2, "decays": False, "name": "all", "hidden": [True] * len(others)},
    ]


def train(net, optimizer, steps=6, first=0):
    for step in range(first, first + steps):
        generator = torch.Generator().manual_seed(step)
        inputs = torch.randn(8, 3, 8, 8, generator=generator)
        loss = nn.functional.cross_entropy(net(inputs), torch.arange(8) % 5)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [p.detach().clone() for p in net.parameters()]


def test_every_registered_optimizer_is_tested_here():
    assert set(registry) == {*PLAIN, "muon"}


@pytest.mark.parametrize("name", PLAIN)
def test_steps_are_torchs_own(name):
    cls, settings = PLAIN[name]
    ours, theirs = network(), network()
    reference_groups = [dict(g) for g in groups_of(theirs)]
    reference_groups[1]["weight_decay"] = 0.0
    reference = cls(reference_groups, **settings)
    actual = train(ours, registry[name].function(groups_of(ours)))
    for a, b in zip(actual, train(theirs, reference), strict=True):
        torch.testing.assert_close(a, b, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted(registry))
def test_groups_keep_what_the_engine_needs(name):
    optimizer = registry[name].function(groups_of(network()), weight_decay=0.3)
    assert [g["name"] for g in optimizer.param_groups] == ["all", "all"]
    assert [g["lr"] for g in optimizer.param_groups] == [1e-2, 5e-3]
    assert [g["weight_decay"] for g in optimizer.param_groups] == [0.3, 0.0]


@pytest.mark.parametrize("name", sorted(registry))
def test_weight_decay_reaches_only_groups_that_decay(name):
    net = network()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(1.0)
    for parameter in net.parameters():
        parameter.grad = torch.zeros_like(parameter)
    registry[name].function(groups_of(net), weight_decay=0.5).step()
    for parameter in net.parameters():
        assert (parameter == 1.0).all() if parameter.ndim <= 1 else (parameter < 1.0).all()


@pytest.mark.parametrize("name", sorted(registry))
def test_a_parameter_without_gradient_stays(name):
    net = network()
    optimizer = registry[name].function(groups_of(net))
    net[0].requires_grad_(False)
    before = net[0].weight.clone()
    train(net, optimizer, steps=2)
    assert torch.equal(net[0].weight, before)


@pytest.mark.parametrize("name", sorted(registry))
def test_the_rate_of_a_group_is_the_one_set_last(name):
    net = network()
    optimizer = registry[name].function(groups_of(net))
    before = [p.clone() for p in net.parameters()]
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    after = train(net, optimizer, steps=2)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("name", sorted(registry))
@pytest.mark.parametrize("way", ["state_dict", "tensors"])
def test_saved_state_continues_to_the_bit(name, way):
    make = registry[name].function
    whole = network()
    expected = train(whole, make(groups_of(whole)), steps=6)

    first = network()
    optimizer = make(groups_of(first))
    train(first, optimizer, steps=3)
    second = copy.deepcopy(first)
    resumed = make(groups_of(second))
    if way == "tensors":
        load_optimizer(resumed, optimizer_tensors(optimizer))
    else:
        file = io.BytesIO()
        torch.save(optimizer.state_dict(), file)
        file.seek(0)
        resumed.load_state_dict(torch.load(file))
    actual = train(second, resumed, steps=3, first=3)
    assert all(torch.equal(a, b) for a, b in zip(expected, actual, strict=True))


def test_muon_orthogonalises_matrices_and_leaves_the_rest_to_adamw():
    ours, theirs = network(), network()
    matrix, others = theirs[3].weight, [theirs[0].weight]
    small = [p for p in theirs.parameters() if p.ndim <= 1]
    muon = torch.optim.Muon([matrix], lr=1e-2, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(
        [{"params": others, "lr": 1e-2, "weight_decay": 0.01}, {"params": small, "lr": 5e-3, "weight_decay": 0.0}]
    )

    class Both:
        def zero_grad(self):
            theirs.zero_grad()

        def step(self):
            muon.step()
            adamw.step()

    actual = train(ours, optimizers.muon(groups_of(ours)))
    for a, b in zip(actual, train(theirs, Both()), strict=True):
        torch.testing.assert_close(a, b, rtol=2e-5, atol=1e-6)


def test_muon_leaves_embeddings_and_the_head_to_adamw():
    """Of two equal matrices in one group the hidden one becomes orthogonal steps, the other AdamW's."""
    ours, theirs = ([nn.Parameter(torch.eye(4) + 0.5) for _ in range(2)] for _ in range(2))
    gradient = torch.arange(16.0).view(4, 4)
    for parameter in (*ours, *theirs):
        parameter.grad = gradient.clone()
    group = {"lr": 1e-2, "decays": True, "name": "head"}
    optimizers.muon([{**group, "params": ours, "hidden": (True, False)}]).step()
    torch.optim.Muon([theirs[0]], lr=1e-2, weight_decay=0.01, adjust_lr_fn="match_rms_adamw").step()
    optimizers.adamw([{**group, "params": theirs[1:], "hidden": (False,)}]).step()
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))
    assert not torch.equal(ours[0], ours[1])


def test_muon_without_matrices_is_adamw():
    ours, theirs = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)
    theirs.load_state_dict(ours.state_dict())
    ours.weight.grad = theirs.weight.grad = torch.ones(1, 1, 3, 3)
    group = {"lr": 1e-2, "decays": True, "name": "stem", "hidden": [True]}
    optimizers.muon([{**group, "params": [ours.weight]}]).step()
    optimizers.adamw([{**group, "params": [theirs.weight]}]).step()
    assert torch.equal(ours.weight, theirs.weight)


def test_nesterov_needs_momentum():
    with pytest.raises(ExperimentError, match="nesterov needs a momentum"):
        optimizers.sgd(groups_of(network()), momentum=0.0, nesterov=True)
