"""What an export says of the run that it comes from."""

from importlib.metadata import version
from pathlib import Path

import pytest
import timm
from torch import nn
from torchvision.models import resnet18

from ftaug.image.backbones.networks import ResNet20
from ftaug.runs.export.provenance import network_of, unfinished, weights_of


@pytest.mark.parametrize(
    ("network", "library"),
    [
        (ResNet20(2), "ftaug"),
        (resnet18(), "torchvision"),
        (nn.Sequential(timm.create_model("resnet10t"), nn.Identity()), "timm"),
    ],
)
def test_a_networks_library_is_the_one_that_it_is_built_from(network, library):
    assert network_of("a", network) == {"name": "a", "library": library, "version": version(library)}


@pytest.mark.parametrize(
    ("facts", "source", "license"),
    [
        ({"weights": "timm resnet18.a1_in1k", "license": "apache-2.0"}, "timm resnet18.a1_in1k", "apache-2.0"),
        ({"weights": "none"}, "none", None),
        ({"weights": str(Path.home() / "secret" / "w.safetensors")}, "w.safetensors", None),
        ({"weights": "org/encoder"}, "org/encoder", None),
    ],
)
def test_of_weights_the_source_and_license_are_told_but_not_where_they_lie(facts, source, license):
    assert weights_of(facts) == {"source": source, "license": license}


def test_only_a_training_that_did_not_reach_its_end_is_unfinished():
    used = {"step": 40, "selected": "best", "complete": True, "trained_steps": 50, "planned_steps": 1200}
    assert not unfinished({"checkpoint": used})
    assert not unfinished({"checkpoint": None})
    assert unfinished({"checkpoint": {**used, "complete": False}}) == (
        "the training is not complete (step 50 of 1,200): this is the best checkpoint so far, of step 40"
    )
