"""Mixup of embeddings: against the model's own layers by hand, and for every kind of encoder."""

import numpy as np
import pytest
import torch
import transformers
from passages import bert_folder

from ftaug.augment.mix_choice import one_of
from ftaug.config.registry import Component
from ftaug.text.augmentations.mixing import mixup
from ftaug.text.network import IDS, Classifier, Mixed
from ftaug.text.samples import Padding, collate

SHAPE = {"vocab_size": 50, "num_hidden_layers": 2, "num_attention_heads": 2, "hidden_size": 16, "intermediate_size": 32}
DISTIL = {"vocab_size": 50, "n_layers": 2, "n_heads": 2, "dim": 16, "hidden_dim": 32}
KINDS = {
    "Bert": SHAPE,
    "Roberta": SHAPE | {"max_position_embeddings": 40, "pad_token_id": 1},
    "DistilBert": DISTIL,
    "DebertaV2": SHAPE | {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False},
    "Electra": SHAPE | {"embedding_size": 8},
}


def classifier(kind: str) -> Classifier:
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**KINDS[kind], num_labels=3)
    model = getattr(transformers, f"{kind}ForSequenceClassification")(config)
    return Classifier(model.eval(), has_types=kind in ("Bert", "Electra"))


def packed(*texts: list[int]) -> torch.Tensor:
    return collate([np.array([ids, [0] * len(ids)], np.int32) for ids in texts])


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_of_one_is_the_first_and_of_none_the_second(kind):
    """Also where the other text is shorter, and the places of both count from the same beginning."""
    network, padding = classifier(kind), Padding(KINDS[kind].get("pad_token_id", 0))
    long, short = packed([5, 6, 7, 8]), packed([9, 10, 11, 12])
    with torch.no_grad():
        for share, alone in ((1.0, long), (0.0, short)):
            found = network(padding(Mixed(long, short, torch.tensor([share]))))
            torch.testing.assert_close(found, network(padding(alone)), atol=1e-5, rtol=1e-4)


def test_is_what_the_layers_make_of_mixed_embeddings():
    network = classifier("Bert")
    batch = packed([5, 6, 7], [8, 9])
    mixed, targets = mixup(batch, torch.eye(3)[:2], np.random.default_rng(3), alpha=1.0)
    share = float(mixed.share[0])
    bert = network.model.bert
    words = bert.embeddings.word_embeddings.weight
    rows = []
    for one, other in ((0, 1), (1, 0)):  # padding is the token 0
        rows.append(share * words[batch[one, IDS]] + (1 - share) * words[batch[other, IDS]])
    places, kinds = bert.embeddings.position_embeddings.weight, bert.embeddings.token_type_embeddings.weight
    summed = torch.stack(rows) + places[:3] + kinds[0]
    hidden = torch.nn.functional.layer_norm(
        summed, (16,), bert.embeddings.LayerNorm.weight, bert.embeddings.LayerNorm.bias, bert.config.layer_norm_eps
    )
    for layer in bert.encoder.layer:  # no mask: every place has a token of one of the two
        hidden = layer(hidden)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
    expected = network.model.classifier(bert.pooler(hidden))
    torch.testing.assert_close(network(Padding(0)(mixed)), expected, atol=1e-5, rtol=1e-4)
    expected_targets = torch.tensor([[share, 1 - share, 0], [1 - share, share, 0]])
    torch.testing.assert_close(targets, expected_targets)


def test_padding_is_the_tokenizers_own():
    batch = packed([5, 6, 7], [8, 9])
    mixed = Padding(1)(Mixed(batch, batch.flip(0), torch.tensor([0.5, 0.5])))
    assert mixed.first[1, IDS].tolist() == [8, 9, 1]
    assert mixed.second[0, IDS].tolist() == [8, 9, 1]


def test_places_that_one_text_alone_has_take_part():
    """The longer text is seen to its end, whichever is first."""
    network = classifier("Bert")
    batch = packed([5, 6, 7, 8], [9, 10])
    changed = packed([5, 6, 7, 11], [9, 10])
    with torch.no_grad():
        for rows in ([0, 1], [1, 0]):
            one, other = (
                network(Mixed(b[rows], b[rows].roll(1, 0), torch.tensor([0.5, 0.5]))) for b in (batch, changed)
            )
            assert not torch.allclose(one, other, atol=1e-6)


def test_targets_of_several_labels_are_blended():
    targets = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    mixed, blended = mixup(packed([5], [6]), targets, np.random.default_rng(0), alpha=1.0)
    share = float(mixed.share[0])
    torch.testing.assert_close(blended, torch.tensor([[share, 1.0, 1 - share], [1 - share, 1.0, share]]))


def test_one_text_alone_stays():
    batch, targets = packed([5, 6]), torch.eye(3)[:1]
    found, same = mixup(batch, targets, np.random.default_rng(0))
    assert found is batch
    assert same is targets
    found, _ = mixup(packed([5], [6]), torch.eye(2), np.random.default_rng(0), probability=0.0)
    assert not isinstance(found, Mixed)


def test_one_of_mixes_texts_too():
    choices = (Component("mix", "mixup", {"alpha": 1.0, "probability": 1.0}, "text"),)
    mixed, _ = one_of(packed([5], [6]), torch.eye(2), np.random.default_rng(0), choices=choices)
    assert isinstance(mixed, Mixed)


def test_a_model_read_from_a_folder_mixes(tmp_path):
    """As transformers reads it, with attention as it does it by default."""
    folder = bert_folder(tmp_path / "m", head="classes")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    network = Classifier(model, has_types=True)
    batch = packed([5, 6, 7], [8, 9])
    with torch.no_grad():
        whole = network(Mixed(batch, batch, torch.tensor([0.3, 0.6])))
        torch.testing.assert_close(whole, network(batch), atol=1e-5, rtol=1e-4)
