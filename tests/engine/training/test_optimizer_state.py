import copy

import pytest
import torch
from torch import nn

from ftaug.engine.system import checkpoint
from ftaug.engine.training.optimizer_state import load_optimizer, optimizer_tensors
from ftaug.errors import BadData


class Net(nn.Module):
    """Matrices in both memory layouts, a vector, a scalar, and a part that is not thawed yet."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3)
        self.linear = nn.Linear(16, 5)
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.frozen = nn.Linear(5, 5).requires_grad_(False)
        self.to(memory_format=torch.channels_last)

    def forward(self, inputs):
        return self.frozen(self.linear(self.conv(inputs).flatten(1)) * self.scale)


def groups(net, **settings):
    return [
        {"params": [net.linear.weight], "lr": 0.05, "name": "linear", **settings},
        {
            "params": [net.frozen.weight, net.conv.weight, net.conv.bias, net.scale],
            "lr": 0.02,
            "name": "rest",
            **settings,
        },
    ]


def muon(net):
    return torch.optim.Muon([{"params": [net.linear.weight]}, {"params": [net.frozen.weight]}], lr=0.02)


OPTIMIZERS = {
    "sgd": lambda net: torch.optim.SGD(groups(net)),
    "momentum": lambda net: torch.optim.SGD(groups(net), momentum=0.9, weight_decay=0.1),
    "nesterov": lambda net: torch.optim.SGD(groups(net), momentum=0.9, nesterov=True),
    "adam": lambda net: torch.optim.Adam(groups(net)),
    "amsgrad": lambda net: torch.optim.Adam(groups(net), amsgrad=True),
    "adamw": lambda net: torch.optim.AdamW(groups(net)),
    "adamw_fused": lambda net: torch.optim.AdamW(groups(net), fused=True),
    "adamw_single": lambda net: torch.optim.AdamW(groups(net), foreach=False),
    "adamw_foreach": lambda net: torch.optim.AdamW(groups(net), foreach=True),
    "nadam": lambda net: torch.optim.NAdam(groups(net)),
    "radam": lambda net: torch.optim.RAdam(groups(net)),
    "adamax": lambda net: torch.optim.Adamax(groups(net)),
    "rmsprop": lambda net: torch.optim.RMSprop(groups(net), momentum=0.9, centered=True),
    "adagrad": lambda net: torch.optim.Adagrad(groups(net), lr_decay=0.01),
    "adadelta": lambda net: torch.optim.Adadelta(groups(net)),
    "muon": muon,
}


def train(net, optimizer, first, last):
    for step in range(first, last):
        if step == 3:
            net.frozen.requires_grad_(True)
        torch.manual_seed(step)
        optimizer.zero_grad(set_to_none=True)
        net(torch.randn(6, 3, 4, 4)).square().mean().backward()
        optimizer.step()


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("stop", [1, 3, 6], ids=["before thawing", "at thawing", "after thawing"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_continued_training_is_equal_to_the_bit(tmp_path, name, stop):
    net = Net()
    optimizer = OPTIMIZERS[name](net)
    train(net, optimizer, 0, stop)
    path = checkpoint.save(tmp_path, stop, {"model": net.state_dict(), "optimizer": optimizer_tensors(optimizer)}, {})
    tensors, _ = checkpoint.load(path)

    resumed = Net()
    resumed_optimizer = OPTIMIZERS[name](resumed)
    resumed.load_state_dict(tensors["model"])
    resumed.frozen.requires_grad_(stop > 3)
    forgetful = copy.deepcopy(resumed)
    load_optimizer(resumed_optimizer, tensors["optimizer"])
    assert kinds(resumed_optimizer) == kinds(optimizer)

    train(net, optimizer, stop, 10)
    train(resumed, resumed_optimizer, stop, 10)
    assert same(net, resumed)
    before, after = optimizer_tensors(optimizer), optimizer_tensors(resumed_optimizer)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)
    if name != "sgd":  # the one without a state; for the others the test can fail
        train(forgetful, OPTIMIZERS[name](forgetful), stop, 10)
        assert not same(net, forgetful)


def kinds(optimizer):
    return {key: (value.dtype, value.shape, value.stride()) for key, value in optimizer_tensors(optimizer).items()}


class Counting(torch.optim.Optimizer):
    """One that counts in Python numbers, as older optimizers do."""

    def __init__(self, params, entry=None) -> None:
        super().__init__(params, {"lr": 0.1})
        self.entry = entry

    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                state.update(
                    step=state.get("step", 0) + 1, momentum=state.get("momentum", 0.1) / 3, seen=True, nothing=None
                )
                if self.entry is not None:
                    state["entry"] = self.entry


def test_python_numbers_keep_their_type_and_value():
    parameter = nn.Parameter(torch.zeros(2))
    optimizer = Counting([parameter])
    for _ in range(3):
        optimizer.step()
    tensors = optimizer_tensors(optimizer)
    other = Counting([parameter])
    load_optimizer(other, tensors)
    assert other.state[parameter] == {"step": 3, "momentum": 0.1 / 3 / 3 / 3, "seen": True}
    assert [type(value) for value in other.state[parameter].values()] == [int, float, bool]


def test_what_cannot_be_saved_is_refused():
    optimizer = Counting([nn.Parameter(torch.zeros(2))], entry=[1, 2])
    optimizer.step()
    with pytest.raises(TypeError, match="'entry' is a list"):
        optimizer_tensors(optimizer)


def test_the_state_of_another_optimizer_is_bad_data():
    net = Net()
    with pytest.raises(BadData, match=r"parameter 7\.0"):
        load_optimizer(torch.optim.SGD(groups(net)), {"7.0.momentum_buffer": torch.zeros(2)})


def test_the_caller_keeps_its_tensors():
    """What is loaded is copied, so that training does not write into a file or another model."""
    net = Net()
    optimizer = torch.optim.AdamW(groups(net))
    train(net, optimizer, 0, 2)
    tensors = {key: tensor.clone() for key, tensor in optimizer_tensors(optimizer).items()}
    kept = {key: tensor.clone() for key, tensor in tensors.items()}
    load_optimizer(optimizer, tensors)
    train(net, optimizer, 2, 4)
    assert all(torch.equal(tensors[key], kept[key]) for key in kept)
