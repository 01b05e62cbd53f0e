"""Batches of one text model as another takes them: only where their tokens are the same."""

import pytest
import torch

from ftaug.errors import ExperimentError
from ftaug.text.samples import translator

OWN = {"tokenizer": "{words}", "max_length": 64, "pad": 0, "types": False}


def test_the_other_models_padding_is_put_in():
    batch = torch.tensor([[[5, 6, 0], [1, 1, 0], [0, 0, 0]]])
    seen = translator(OWN, {**OWN, "pad": 9})(batch)
    assert seen[0, 0].tolist() == [5, 6, 9]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"tokenizer": "{pieces}"}, "has another tokenizer: it must be the same for both models"),
        ({"max_length": 32}, "takes 32 tokens, fewer than the 64 of this model; set max_length: 32"),
    ],
)
def test_other_tokens_or_fewer_are_refused(other, words):
    with pytest.raises(ExperimentError, match=words):
        translator(OWN, OWN | other)
