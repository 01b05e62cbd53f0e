import pytest
import torch
from trial_networks import inputs, small_bert

from ftaug.interfaces.explanation import CannotExplain, ExplainedOutput
from ftaug.text.explainers.path import integrated_gradients


def test_values_add_up_to_the_change_from_embeddings_of_zero():
    torch.manual_seed(0)
    network = small_bert().network.eval()
    sample = inputs("bert", 0, 1)
    output = ExplainedOutput(network, network, (), "softmax", 1, 8)
    attribution = integrated_gradients(output, sample)
    embeddings = network.model.get_input_embeddings()
    before = output.scores(sample)[0]
    handle = embeddings.register_forward_hook(lambda module, inputs, values: torch.zeros_like(values))
    change = before - output.scores(sample)[0]
    handle.remove()
    error = attribution.figures["completeness_error"]
    assert error < 0.05
    assert attribution.values.shape == (9,)
    assert attribution.values.sum() == pytest.approx(change, rel=error + 1e-4)
    assert output.scores(sample)[0] == before
    assert not embeddings._forward_hooks


def test_a_network_without_embeddings_of_tokens_is_refused():
    output = ExplainedOutput(torch.nn.Identity(), torch.nn.Identity(), (), "softmax", 0)
    with pytest.raises(CannotExplain, match="one layer of token embeddings"):
        integrated_gradients(output, torch.zeros(1, 3, 4).long())
