"""Masked tokens: which are chosen, how they are shown, and the loss of those alone."""

from types import SimpleNamespace

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from ftaug.text.network import CHOSEN, GUESSED, IDS, MASKED, OTHER, MaskedTokens
from ftaug.text.objectives import masked_tokens
from ftaug.text.samples import collate

BEGIN, END, MASK_CODE, TOKENS = 1, 2, 3, 300


def batch(rows=64, length=100, pairs=True):
    rng = np.random.default_rng(0)
    texts = []
    for row in range(rows):
        ids = rng.integers(10, TOKENS, length - row % 7)
        ids[0], ids[-1] = BEGIN, END
        if pairs:
            ids[len(ids) // 2] = END
        texts.append(np.stack([ids, np.zeros_like(ids)]).astype(np.int32))
    return collate(texts)


def shown(inputs, share):
    """The planes that the network gets."""
    kept = []

    def forward(planes):
        kept.append(planes)
        return torch.zeros(int((planes[:, CHOSEN] > 0).sum()), TOKENS, requires_grad=True)

    torch.manual_seed(0)
    value = masked_tokens(forward, [inputs], torch.zeros(len(inputs)), None, share=share)
    return kept[0], value.value


def test_shares_are_those_of_bert():
    inputs = batch()
    planes, _ = shown(inputs, 0.15)
    assert torch.equal(planes[:, :CHOSEN], inputs)
    chosen = planes[:, CHOSEN]
    ordinary = inputs[:, IDS] >= 10
    assert not chosen[~ordinary].any()
    assert abs(float((chosen[ordinary] > 0).float().mean()) - 0.15) < 0.01
    some = chosen[chosen > 0]
    for kind, share in ((MASKED, 0.8), (OTHER, 0.1), (GUESSED, 0.1)):
        assert abs(float((some == kind).float().mean()) - share) < 0.03


def test_the_loss_is_of_the_chosen_alone():
    inputs = batch(4, 20)
    table = torch.randn(TOKENS, TOKENS)
    asked = {}

    def forward(planes):
        asked["wanted"] = planes[:, IDS][planes[:, CHOSEN] > 0]
        return table[asked["wanted"]]

    found, items = masked_tokens(forward, [inputs], torch.zeros(4), None, share=0.5)
    by_hand = [-table[code].log_softmax(0)[code] for code in asked["wanted"].tolist()]
    assert items == len(by_hand) > 10
    torch.testing.assert_close(found, torch.stack(by_hand).mean())
    torch.testing.assert_close(found, cross_entropy(table[asked["wanted"]], asked["wanted"]))


def test_a_batch_without_a_token_to_guess_costs_nothing():
    _, value = shown(batch(2, 3, pairs=False)[:, :, [0, 2]], 0.15)
    assert float(value.detach()) == 0
    value.backward()


def test_the_network_sees_masks_and_others():
    class Encoder(torch.nn.Module):
        def forward(self, input_ids):
            self.seen = input_ids
            return SimpleNamespace(last_hidden_state=torch.zeros(*input_ids.shape, 1))

    class Model(torch.nn.Module):
        config = SimpleNamespace(vocab_size=TOKENS)

        def __init__(self):
            super().__init__()
            self.base_model = Encoder()

        def forward(self, input_ids, attention_mask):
            return SimpleNamespace(logits=self.base_model(input_ids).last_hidden_state.expand(-1, -1, TOKENS))

    model = Model()
    planes, _ = shown(batch(), 0.5)
    answers = MaskedTokens(model, has_types=False, mask=MASK_CODE)(planes)
    chosen, ids = planes[:, CHOSEN], planes[:, IDS]
    seen = model.base_model.seen
    assert len(answers) == int((chosen > 0).sum())
    assert (seen[chosen == MASKED] == MASK_CODE).all()
    assert torch.equal(seen[(chosen == 0) | (chosen == GUESSED)], ids[(chosen == 0) | (chosen == GUESSED)])
    others = seen[chosen == OTHER]
    assert (others == ids[chosen == OTHER]).float().mean() < 0.05
    assert len(others.unique()) > 50
