import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from ftaug.image.explainers.recorded_attention import recorded_attention
from ftaug.interfaces.explanation import ExplainedOutput


class Attention(nn.Module):
    """A layer of torch's own attention, and one by the function alone."""

    def __init__(self, windows=1):
        super().__init__()
        self.layer = nn.MultiheadAttention(8, 2, batch_first=True)
        self.windows = windows

    def forward(self, inputs):
        first = self.layer(inputs, inputs, inputs, need_weights=False)[0]
        query = first.view(self.windows, -1, 2, 4).transpose(1, 2)
        return first, scaled_dot_product_attention(query, query, query), query


def recorded(model, inputs):
    return recorded_attention(ExplainedOutput(model, model, (), "softmax", 0), inputs)


def test_weights_of_both_functions_averaged_over_heads():
    model, inputs = Attention().eval(), torch.randn(1, 5, 8)
    with torch.no_grad():
        plain, _, query = model(inputs)
        expected = model.layer(inputs, inputs, inputs, need_weights=True)[1][0]
    layers = recorded(model, inputs)
    assert len(layers) == 2
    assert layers[0].numpy() == pytest.approx(expected.numpy(), abs=1e-6)
    by_hand = (query @ query.transpose(-2, -1) / 2).softmax(dim=-1)[0].mean(dim=0)
    assert layers[1].numpy() == pytest.approx(by_hand.detach().numpy(), abs=1e-6)
    assert plain.shape == (1, 5, 8)


def test_attention_within_windows_is_not_global():
    assert recorded(Attention(windows=2).eval(), torch.randn(1, 6, 8)) == []
