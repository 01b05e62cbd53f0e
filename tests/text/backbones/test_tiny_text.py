"""The encoder that comes with ftaug: its files, what it starts from, and its two heads."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from ftaug.errors import ExperimentError
from ftaug.experiment_file import load
from ftaug.text.backbones.tiny_text import TENSORS, TOKENIZER, tiny_text
from ftaug.text.objectives import masked_tokens

CLASSES = ("a", "b", "c")


def batch(*shape):
    packed = torch.randint(5, 4000, (shape[0], 3, shape[1]), generator=torch.Generator().manual_seed(0))
    packed[:, 1], packed[:, 2] = 1, 0
    return packed


def test_the_files_are_small_and_are_the_encoders():
    assert TENSORS.stat().st_size + TOKENIZER.stat().st_size <= 3_000_000
    backbone = tiny_text(CLASSES)
    backbone.load_pretrained()
    shipped = load_file(TENSORS)
    own = {key.removeprefix("model."): tensor for key, tensor in backbone.network.state_dict().items()}
    assert len(shipped) > 50
    for key, tensor in shipped.items():
        assert torch.equal(own[key], tensor.float()), key
    assert own.keys() - shipped.keys() == {
        f"{name}.{leaf}" for name in ("bert.pooler.dense", "classifier") for leaf in ("weight", "bias")
    }


@pytest.mark.parametrize(("classes", "same"), [(CLASSES, True), (("a", "b", "d"), False)])
def test_a_head_is_kept_for_the_same_classes_alone(tmp_path, classes, same):
    torch.manual_seed(0)
    network = tiny_text(CLASSES, weights="none").network.eval()
    file = tmp_path / "model.safetensors"
    save_file(network.state_dict(), file, metadata={"ftaug": json.dumps({"classes": list(CLASSES)})})
    other = tiny_text(classes, weights=str(file))
    other.load_pretrained()
    with torch.no_grad():
        encoded = [one.model.bert(batch(2, 6)[:, 0]).last_hidden_state for one in (network, other.network.eval())]
        answers = [one(batch(2, 6)) for one in (network, other.network)]
    assert torch.equal(*encoded)
    assert torch.equal(*answers) is same


def test_masked_tokens_are_guessed_as_the_whole_model_would():
    """The head is spared all places but those to guess; the library's own answer at all of them is the oracle."""
    torch.manual_seed(0)
    network = tiny_text(CLASSES, weights="none", head="masked_tokens").network.eval()
    ids, chosen = batch(4, 7), torch.zeros(4, 7, dtype=torch.long)
    chosen[0, 2], chosen[1, 5], chosen[3, 1] = 1, 3, 1
    shown = ids[:, 0].masked_fill(chosen == 1, network.mask)
    with torch.no_grad():
        found = network(torch.cat([ids, chosen.unsqueeze(1)], dim=1))
        whole = network.model(input_ids=shown, attention_mask=ids[:, 1]).logits
    torch.testing.assert_close(found, whole[chosen > 0], rtol=1e-5, atol=1e-5)


def test_a_head_that_does_not_fit_the_objective_is_named():
    classifier = tiny_text(CLASSES, weights="none").network
    with pytest.raises(ExperimentError, match="objective: masked_tokens needs a backbone with head: masked_tokens"):
        masked_tokens(classifier, [batch(2, 6)], torch.zeros(2), None)
    guesser = tiny_text(CLASSES, weights="none", head="masked_tokens").network
    with pytest.raises(ExperimentError, match="head: masked_tokens predicts no classes"):
        guesser(batch(2, 6))


def test_what_learns_no_classes_is_not_measured_by_them(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(
        "modality: text\ndata: {train: docstrings, val: docstrings}\n"
        "backbone: {tiny_text: {head: masked_tokens}}\nobjective: masked_tokens\n"
    )
    with pytest.raises(ExperimentError) as caught:
        load(file)
    assert "data.val must be null: the objective masked_tokens trains without labels; nothing to evaluate" in str(
        caught.value
    )
