"""Encoders of transformers as networks from packed tokens to logits."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from ftaug.errors import ExperimentError
from ftaug.hub.replace import with_submodules
from ftaug.hub.stages import embeddings_of, stack_of
from ftaug.interfaces.model import CannotCut

IDS, MASK, TYPES, CHOSEN = range(4)
"""Planes of packed tokens, int64 (batch, planes, length): token ids, attention mask, token types, and for masked
language modeling how each token to predict is shown."""

MASKED, OTHER, GUESSED = 1, 2, 3
"""A token to predict is masked, replaced by a random token, or left unchanged."""


class Mixed(NamedTuple):
    """Two batches of packed tokens of equal length, and the mixing weight of the first for each sample."""

    first: Tensor  # int64 (batch, planes, length)
    second: Tensor
    share: Tensor  # float (batch,)


class Encoder(nn.Module):
    """Wrap a model of transformers so that it takes packed tokens."""

    def __init__(self, model: Any, *, has_types: bool) -> None:
        super().__init__()
        self.model = model
        self.has_types = has_types

    def logits(self, inputs: Tensor | Mixed) -> Tensor:
        """Return the logits: (batch, classes) or (batch, length, vocabulary)."""
        if isinstance(inputs, Mixed):
            return self._mixed_logits(inputs)
        types = {"token_type_ids": inputs[:, TYPES]} if self.has_types else {}
        return cast(Tensor, self.model(input_ids=inputs[:, IDS], attention_mask=inputs[:, MASK], **types).logits)

    def _mixed_logits(self, inputs: Mixed) -> Tensor:
        """Interpolate the embeddings of two texts (mixup of embeddings, Guo et al. 2019)."""
        embed = self.model.get_input_embeddings()
        share = inputs.share.view(-1, 1, 1)
        mixed = share * embed(inputs.first[:, IDS]) + (1 - share) * embed(inputs.second[:, IDS])
        mask = inputs.first[:, MASK] | inputs.second[:, MASK]
        kinds = torch.where(inputs.first[:, MASK] > 0, inputs.first[:, TYPES], inputs.second[:, TYPES])
        types = {"token_type_ids": kinds} if self.has_types else {}
        return cast(Tensor, self.model(inputs_embeds=mixed, attention_mask=mask, **types).logits)


class Classifier(Encoder):
    """Sequence classifier: packed tokens to logits (batch, classes)."""

    def forward(self, inputs: Tensor | Mixed) -> Tensor:
        """Return logits (batch, classes)."""
        if isinstance(inputs, Tensor) and inputs.shape[1] > CHOSEN:
            raise ExperimentError("objective: masked_tokens needs a backbone with head: masked_tokens")
        return self.logits(inputs)

    def halves(self, learning: Collection[str]) -> tuple[nn.Module, nn.Module]:
        """Split into the encoder (its output for the first token) and the head.

        Raises CannotCut if a part of the encoder is trainable.
        """
        base = self.model.base_model
        name, layers = stack_of(base)
        inside = {id(p) for p in layers.parameters()}
        frozen = inside | embeddings_of(base, inside)
        if any(id(self.get_parameter(parameter)) in frozen for parameter in learning):
            raise CannotCut("of texts what a whole encoder gives can be stored, and a part of it learns")
        layer = _CachedLayer(layers[-1], _further_outputs(self, layers[-1]))
        bare = with_submodules(self.model, {f"{self.model.base_model_prefix}.{name}": nn.ModuleList([layer])})
        return _FirstToken(self, layers[-1]), _Head(bare, layer)


class _FirstToken(nn.Module):
    """Encoder output for the first token of packed tokens: (batch, 1, width)."""

    def __init__(self, encoder: Encoder, last: nn.Module) -> None:
        super().__init__()
        self.base = encoder.model.base_model
        self.last = last
        self.has_types = encoder.has_types

    def forward(self, inputs: Tensor) -> Tensor:
        seen: list[Tensor] = []

        def keep(layer: nn.Module, inputs_of_layer: Any, output: Any) -> None:
            seen.append(output[0] if isinstance(output, tuple) else output)

        types = {"token_type_ids": inputs[:, TYPES]} if self.has_types else {}
        with self.last.register_forward_hook(keep):
            self.base(input_ids=inputs[:, IDS], attention_mask=inputs[:, MASK], **types)
        return seen[-1][:, :1]


class _CachedLayer(nn.Module):
    """Stand-in for a layer that returns cached features; other attributes come from the layer it replaces."""

    def __init__(self, layer: nn.Module, further: int | None) -> None:
        super().__init__()
        self.replaced_layer = (layer,)  # in a tuple, so that its parameters are not registered here
        self.further = further  # number of further outputs in the tuple; None if the output is a tensor
        self.features = torch.empty(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["replaced_layer"][0], name)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return self.features if self.further is None else (self.features, *([None] * self.further))


class _Head(nn.Module):
    """Classification head on cached features: the model with its layers replaced by one stand-in."""

    def __init__(self, model: nn.Module, cached: _CachedLayer) -> None:
        super().__init__()
        self.model = model
        self.cached = cached

    def forward(self, features: Tensor) -> Tensor:
        self.cached.features = features
        ids = torch.zeros(features.shape[:2], dtype=torch.int64, device=features.device)
        return cast(Tensor, self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits)


@torch.no_grad()
def _further_outputs(encoder: Encoder, layer: nn.Module) -> int | None:
    """Return the number of outputs of a layer besides the features; None if its output is a tensor."""
    outputs: list[Any] = []
    token = torch.ones((1, TYPES + 1, 1), dtype=torch.int64, device=next(layer.parameters()).device)
    token[:, TYPES] = 0
    with layer.register_forward_hook(lambda layer, inputs, output: outputs.append(output)):
        encoder.logits(token)
    return len(outputs[-1]) - 1 if isinstance(outputs[-1], tuple) else None


class MaskedTokens(Encoder):
    """Masked language model: packed tokens to vocabulary logits at the tokens to predict."""

    def __init__(self, model: Any, *, has_types: bool, mask: int) -> None:
        super().__init__(model, has_types=has_types)
        self.mask = mask

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (tokens to predict, vocabulary).

        Raises ExperimentError for a batch without the plane of tokens to predict.
        """
        if inputs.shape[1] <= CHOSEN:
            raise ExperimentError(
                "the backbone's head: masked_tokens predicts no classes: train it with objective: masked_tokens and "
                "data.val: null, then fine-tune with head: classes and --from that run"
            )
        ids, chosen = inputs[:, IDS], inputs[:, CHOSEN]
        others = torch.randint_like(ids, self.model.config.vocab_size)
        shown = torch.where(chosen == MASKED, self.mask, torch.where(chosen == OTHER, others, ids))
        packed = torch.stack([shown, inputs[:, MASK], inputs[:, TYPES]], dim=1)

        def only_chosen(base: nn.Module, arguments: Any, output: Any) -> Any:
            """Apply the head, which is as wide as the vocabulary, only to the tokens to predict."""
            return type(output)(last_hidden_state=output.last_hidden_state[chosen > 0].unsqueeze(0))

        with self.model.base_model.register_forward_hook(only_chosen):
            return self.logits(packed).squeeze(0)


class Named(nn.Module):
    """Call a model with the named tensors of transformers instead of packed tokens."""

    def __init__(self, model: nn.Module, *, has_types: bool) -> None:
        super().__init__()
        self.model = model
        self.has_types = has_types

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Any:
        """Return the output of the model."""
        types = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        return self.model(torch.stack([input_ids, attention_mask, types], dim=1))
