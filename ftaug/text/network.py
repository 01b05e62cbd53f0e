"""An encoder of the library transformers as a network from packed tokens to logits."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from ftaug.errors import ExperimentError

IDS, MASK, TYPES, CHOSEN = range(4)
"""The planes of packed tokens, int64 (batch, planes, length): ids; 1 where there is a token; which text of a pair;
and, where tokens are to be guessed, how each is shown."""

MASKED, OTHER, GUESSED = 1, 2, 3
"""A token to guess that is masked, replaced by any other, or shown as it is."""


class Mixed(NamedTuple):
    """Two batches of packed tokens of one length, and the share that each sample has of the first."""

    first: Tensor  # int64 (batch, planes, length)
    second: Tensor
    share: Tensor  # float (batch,)


class Encoder(nn.Module):
    """A model of transformers that is called with packed tokens."""

    def __init__(self, model: Any, *, has_types: bool) -> None:
        super().__init__()
        self.model = model
        self.has_types = has_types

    def answers(self, inputs: Tensor | Mixed) -> Tensor:
        """What the model's head says: (batch, classes) or (batch, length, tokens)."""
        if isinstance(inputs, Mixed):
            return self._of_mixed(inputs)
        types = {"token_type_ids": inputs[:, TYPES]} if self.has_types else {}
        return cast(Tensor, self.model(input_ids=inputs[:, IDS], attention_mask=inputs[:, MASK], **types).logits)

    def _of_mixed(self, inputs: Mixed) -> Tensor:
        """Interpolate the embeddings of two texts (mixup of embeddings, Guo et al. 2019)."""
        embed = self.model.get_input_embeddings()
        share = inputs.share.view(-1, 1, 1)
        mixed = share * embed(inputs.first[:, IDS]) + (1 - share) * embed(inputs.second[:, IDS])
        mask = inputs.first[:, MASK] | inputs.second[:, MASK]
        kinds = torch.where(inputs.first[:, MASK] > 0, inputs.first[:, TYPES], inputs.second[:, TYPES])
        types = {"token_type_ids": kinds} if self.has_types else {}
        return cast(Tensor, self.model(inputs_embeds=mixed, attention_mask=mask, **types).logits)


class Classifier(Encoder):
    """From packed tokens to a logit for each class."""

    def forward(self, inputs: Tensor | Mixed) -> Tensor:
        """Return logits (batch, classes)."""
        if isinstance(inputs, Tensor) and inputs.shape[1] > CHOSEN:
            raise ExperimentError("objective: masked_tokens needs a backbone with head: masked_tokens")
        return self.answers(inputs)


class MaskedTokens(Encoder):
    """From packed tokens, some of them to be guessed, to a logit for each token of the vocabulary in their places."""

    def __init__(self, model: Any, *, has_types: bool, mask: int) -> None:
        super().__init__(model, has_types=has_types)
        self.mask = mask

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (tokens to guess, vocabulary); raises ExperimentError where it is asked for classes."""
        if inputs.shape[1] <= CHOSEN:
            raise ExperimentError(
                "the backbone's head: masked_tokens tells no classes: train it with objective: masked_tokens and "
                "data.val: null, then fine-tune with head: classes and --from that run"
            )
        ids, chosen = inputs[:, IDS], inputs[:, CHOSEN]
        others = torch.randint_like(ids, self.model.config.vocab_size)
        shown = torch.where(chosen == MASKED, self.mask, torch.where(chosen == OTHER, others, ids))
        packed = torch.stack([shown, inputs[:, MASK], inputs[:, TYPES]], dim=1)

        def only_chosen(base: nn.Module, given: Any, found: Any) -> Any:
            """Spare the head, which is as wide as the vocabulary, all other places."""
            return type(found)(last_hidden_state=found.last_hidden_state[chosen > 0].unsqueeze(0))

        with self.model.base_model.register_forward_hook(only_chosen):
            return self.answers(packed).squeeze(0)


class Named(nn.Module):
    """A model called with the tensors that transformers names, in place of packed tokens."""

    def __init__(self, model: nn.Module, *, has_types: bool) -> None:
        super().__init__()
        self.model = model
        self.has_types = has_types

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """Return logits (batch, classes)."""
        types = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        return cast(Tensor, self.model(torch.stack([input_ids, attention_mask, types], dim=1)))
