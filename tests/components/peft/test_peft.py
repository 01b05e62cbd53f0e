"""Methods that add weights: what they add goes into the network's weights without a trace."""

import pytest
import torch
from adapted import assert_close, shaken
from trial_networks import SIZES, backbone, inputs

from ftaug.components.peft.lora import lora
from ftaug.components.peft.ssf import ssf


@pytest.mark.parametrize("method", [lora, ssf])
@pytest.mark.parametrize("name", SIZES)
def test_a_merged_network_is_the_network_and_answers_as_the_adapted_one(name, method):
    made = backbone(name)
    network, before = made.network.eval(), made.network.state_dict()
    before = {key: value.clone() for key, value in before.items()}
    head = {key for key in before if made.stages[-1].holds(key)}
    batch = inputs(name, seed=0)
    with torch.no_grad():
        plain = network(batch)
        adapted = method(made, frozenset(head), **({"rank": 4} if method is lora else {}))
        assert torch.equal(network(batch), plain)
        shaken(network)
        found = network(batch)
        assert not torch.allclose(found, plain, rtol=1e-3, atol=0)
        assert {*before, *adapted.parameters} == set(network.state_dict())
        assert all(torch.equal(value, network.state_dict()[key]) for key, value in before.items())
        adapted.merge()
        assert_close(network(batch), found)
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in before.items() if key in head)
