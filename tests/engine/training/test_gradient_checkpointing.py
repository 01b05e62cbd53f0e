"""Blocks whose activations are computed twice: less memory, and the same training."""

import pytest
import torch
from small_training import EXPERIMENT, TEXTS, state_of, trained

from ftaug.engine.training import micro_batch_size
from ftaug.engine.training.gradient_checkpointing import blocks
from ftaug.image.backbones.torchvision import torchvision


@pytest.mark.parametrize("text", [EXPERIMENT, TEXTS])
def test_blocks_computed_twice_train_the_same_to_the_bit(tmp_path, text):
    """Statistics of BatchNorm too, which must not take in a batch twice; and dropout, which must be the same."""
    whole, weights = trained(state_of(tmp_path, text))
    state = state_of(tmp_path, text, "train.gradient_checkpointing=true")
    assert len(blocks(state.backbone)) >= 4
    twice, found = trained(state)
    assert twice == whole
    assert all(torch.equal(found[name], tensor) for name, tensor in weights.items())


@pytest.mark.parametrize("text", [EXPERIMENT, TEXTS])
def test_blocks_computed_twice_keep_less(tmp_path, text):
    plain, twice = (
        micro_batch_size._saved_for_backward(state_of(tmp_path, text, f"train.gradient_checkpointing={on}"), 4)
        for on in ("false", "true")
    )
    assert twice < 0.5 * plain


def test_stages_that_thaw_are_computed_twice_too(tmp_path):
    stages = "unfreeze=[{layers: [head]}, {from: 1 steps, layers: [layer3]}]"
    whole, _ = trained(state_of(tmp_path, EXPERIMENT, stages))
    assert trained(state_of(tmp_path, EXPERIMENT, stages, "train.gradient_checkpointing=true"))[0] == whole


@pytest.mark.parametrize("name", ["resnet18", "vit_b_32", "convnext_tiny", "swin_t"])
def test_networks_have_blocks(name):
    with torch.device("meta"):
        assert len(blocks(torchvision(name, range(3), weights="none"))) >= 8
