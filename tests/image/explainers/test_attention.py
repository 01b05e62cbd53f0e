import numpy as np
import pytest
import torch
from explained import output_of, pixels

from ftaug.image.explainers.attention import attention_rollout
from ftaug.image.explainers.recorded_attention import recorded_attention
from ftaug.interfaces.explanation import CannotExplain


def test_rollout_of_a_vit_is_the_product_of_its_attention_with_skip_connections():
    output = output_of("vit")
    first, second = (layer.numpy().astype(float) for layer in recorded_attention(output, pixels()))
    identity = np.eye(17)
    expected = (((second + identity) / 2) @ ((first + identity) / 2))[0, 1:]
    values = attention_rollout(output, pixels()).values
    assert values == pytest.approx(expected.reshape(4, 4), abs=1e-6)
    assert 0 < values.sum() < 1  # the rest is the class token's own


def test_it_is_of_the_input():
    output = output_of("vit")
    assert not np.array_equal(
        attention_rollout(output, pixels()).values, attention_rollout(output, pixels(seed=1)).values
    )


@pytest.mark.parametrize("name", ["resnet20", "swin"])
def test_networks_without_global_attention_are_refused(name):
    with pytest.raises(CannotExplain, match="global attention over patches"), torch.no_grad():
        attention_rollout(output_of(name), pixels())
