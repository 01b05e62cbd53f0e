"""Linear classifier on mean-pooled hidden states, as in sentence-transformers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from ftaug.interfaces.model import CannotCut
from ftaug.text.cpu_dropout import Dropout
from ftaug.text.network import IDS, MASK, TYPES, Classifier

RATES = (
    "classifier_dropout",
    "classifier_dropout_prob",
    "seq_classif_dropout",
    "cls_dropout",
    "hidden_dropout_prob",
    "dropout",
)
"""Names of the classifier dropout in configurations of transformers; the first that is set applies."""


class Output(NamedTuple):
    """Output of a model of transformers: the logits only."""

    logits: Tensor  # (batch, classes)


class MeanPooled(nn.Module):
    """Encoder, masked mean over the tokens, dropout and linear layer, with the interface of transformers models.

    The encoder keeps its attribute name of transformers' classification models. The name of the linear layer,
    `mean_head`, occurs in none of them, so that heads trained on other features are never loaded into it.
    """

    def __init__(self, encoder: Any, outputs: int) -> None:
        super().__init__()
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None
        self.config = encoder.config
        self.base_model_prefix: str = encoder.base_model_prefix
        self.add_module(self.base_model_prefix, encoder)
        self.dropout = Dropout(dropout_rate(encoder.config))
        self.mean_head = nn.Linear(encoder.config.hidden_size, outputs)

    @property
    def base_model(self) -> nn.Module:
        """The encoder."""
        return self.get_submodule(self.base_model_prefix)

    def get_input_embeddings(self) -> nn.Module:
        """Return the token embedding layer."""
        return cast(nn.Module, cast(Any, self.base_model).get_input_embeddings())

    def forward(self, attention_mask: Tensor, **inputs: Tensor) -> Output:
        """Return the logits."""
        states = self.base_model(attention_mask=attention_mask, **inputs).last_hidden_state
        return Output(self.mean_head(self.dropout(masked_mean(states, attention_mask))))


class MeanClassifier(Classifier):
    """Sequence classifier with mean pooling: packed tokens to logits (batch, classes)."""

    def halves(self, learning: Collection[str]) -> tuple[nn.Module, nn.Module]:
        """Split into the encoder with mean pooling and the head; raises CannotCut if the encoder is trainable."""
        frozen = {id(parameter) for parameter in self.model.base_model.parameters()}
        if any(id(self.get_parameter(name)) in frozen for name in learning):
            raise CannotCut("with pooling: mean the output of the whole encoder can be stored, and a part of it learns")
        pooled = _Pooled(self.model.base_model, has_types=self.has_types)
        return pooled, nn.Sequential(self.model.dropout, self.model.mean_head)


class _Pooled(nn.Module):
    """Mean-pooled hidden states of packed tokens: (batch, width)."""

    def __init__(self, base: nn.Module, *, has_types: bool) -> None:
        super().__init__()
        self.base = base
        self.has_types = has_types

    def forward(self, inputs: Tensor) -> Tensor:
        types = {"token_type_ids": inputs[:, TYPES]} if self.has_types else {}
        states = self.base(input_ids=inputs[:, IDS], attention_mask=inputs[:, MASK], **types).last_hidden_state
        return masked_mean(states, inputs[:, MASK])


def masked_mean(states: Tensor, mask: Tensor) -> Tensor:
    """Average hidden states (batch, length, width) over a 0/1 mask (batch, length): (batch, width)."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return torch.sum(states * weights, dim=1) / weights.sum(dim=1).clamp(min=1)


def dropout_rate(config: Any) -> float:
    """Return the classifier dropout rate of a model's configuration."""
    return next((float(rate) for name in RATES if (rate := getattr(config, name, None)) is not None), 0.0)
