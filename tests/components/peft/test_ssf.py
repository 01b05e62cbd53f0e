"""SSF: scales and shifts for every layer that does not learn as a whole."""

import pytest
from trial_networks import backbone

from ftaug.components.peft.ssf import ssf
from ftaug.errors import ExperimentError


def test_ssf_leaves_out_what_learns_and_refuses_when_all_does():
    made = backbone("resnet18")
    learning = frozenset(n for n, _ in made.network.named_parameters() if n.startswith(("layer4", "fc")))
    own = ssf(made, learning).parameters
    assert {name.split(".")[0] for name in own} == {"conv1", "bn1", "layer1", "layer2", "layer3"}
    assert "conv1.ssf.scale" in own and "conv1.ssf.shift" not in own and "bn1.ssf.shift" in own
    whole = backbone("resnet20")
    with pytest.raises(ExperimentError, match=r"method\.ssf: every layer learns by unfreeze already"):
        ssf(whole, frozenset(name for name, _ in whole.network.named_parameters()))
