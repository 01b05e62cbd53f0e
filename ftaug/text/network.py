"""An encoder of the library transformers as a network from packed tokens to logits."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from ftaug.errors import ExperimentError
from ftaug.interfaces.model import CannotCut

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

    def halves(self, learning: Collection[str]) -> tuple[nn.Module, nn.Module]:
        """What the encoder's layers make of the first token, and the head on it; raises CannotCut where they learn."""
        base = self.model.base_model
        name, layers = stack_of(base)
        inside = {id(p) for p in layers.parameters()}
        frozen = inside | embeddings_of(base, inside)
        if any(id(self.get_parameter(one)) in frozen for one in learning):
            raise CannotCut("of texts what a whole encoder gives can be stored, and a part of it learns")
        given = _Given(layers[-1], _further_outputs(self, layers[-1]))
        bare = _without(self.model, f"{self.model.base_model_prefix}.{name}", nn.ModuleList([given]))
        return _FirstToken(self, layers[-1]), _Head(bare, given)


class _FirstToken(nn.Module):
    """From packed tokens to what an encoder's layers make of the first one: (batch, 1, width)."""

    def __init__(self, encoder: Encoder, last: nn.Module) -> None:
        super().__init__()
        self.base = encoder.model.base_model
        self.last = last
        self.has_types = encoder.has_types

    def forward(self, inputs: Tensor) -> Tensor:
        seen: list[Tensor] = []

        def keep(layer: nn.Module, given: Any, found: Any) -> None:
            seen.append(found[0] if isinstance(found, tuple) else found)

        types = {"token_type_ids": inputs[:, TYPES]} if self.has_types else {}
        with self.last.register_forward_hook(keep):
            self.base(input_ids=inputs[:, IDS], attention_mask=inputs[:, MASK], **types)
        return seen[-1][:, :1]


class _Given(nn.Module):
    """A layer whose answer is known; whatever else it is asked is what the layer in whose place it is would say."""

    def __init__(self, layer: nn.Module, further: int | None) -> None:
        super().__init__()
        self.instead_of = (layer,)  # in a tuple, so that its parameters are not here
        self.further = further  # outputs beside the features in a tuple; None where there is no tuple
        self.answer = torch.empty(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["instead_of"][0], name)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return self.answer if self.further is None else (self.answer, *([None] * self.further))


class _Head(nn.Module):
    """From what the layers gave to logits: the model with one layer, whose answer that is."""

    def __init__(self, model: nn.Module, given: _Given) -> None:
        super().__init__()
        self.model = model
        self.given = given

    def forward(self, features: Tensor) -> Tensor:
        self.given.answer = features
        ids = torch.zeros(features.shape[:2], dtype=torch.int64, device=features.device)
        return cast(Tensor, self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits)


@torch.no_grad()
def _further_outputs(encoder: Encoder, layer: nn.Module) -> int | None:
    """The number of outputs of a layer beside its features; None where they come without a tuple."""
    outputs: list[Any] = []
    token = torch.ones((1, TYPES + 1, 1), dtype=torch.int64, device=next(layer.parameters()).device)
    token[:, TYPES] = 0
    with layer.register_forward_hook(lambda layer, inputs, output: outputs.append(output)):
        encoder.answers(token)
    return len(outputs[-1]) - 1 if isinstance(outputs[-1], tuple) else None


def _without(module: nn.Module, name: str, instead: nn.Module) -> nn.Module:
    """The same module with another one in the place of one below it; all the others are shared."""
    first, _, rest = name.partition(".")
    bare = copy.copy(module)
    child = module.get_submodule(first)
    bare._modules = {**module._modules, first: _without(child, rest, instead) if rest else instead}
    return bare


def stack_of(base: nn.Module) -> tuple[str, nn.ModuleList]:
    """The layers of an encoder and what they are called in it."""
    lists = [(name, module) for name, module in base.named_modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=lambda found: sum(p.numel() for p in found[1].parameters()))


def embeddings_of(base: nn.Module, inside: set[int]) -> set[int]:
    """The identities of the parameters before an encoder's layers, and those of embeddings behind them."""
    found: set[int] = set()
    for parameter in base.parameters():
        if id(parameter) in inside:
            break
        found.add(id(parameter))
    tables = (module for module in base.modules() if isinstance(module, nn.Embedding))
    return (found | {id(p) for table in tables for p in table.parameters()}) - inside


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

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Any:
        """Return what the model does."""
        types = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        return self.model(torch.stack([input_ids, attention_mask, types], dim=1))
