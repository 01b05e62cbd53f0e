"""Encoders of the library transformers as backbones: their stages, their heads, their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ftaug.errors import BadData, missing_extra
from ftaug.interfaces import Backbone, Stage
from ftaug.weights import WeightFile

if TYPE_CHECKING:
    from torch import nn

UNBOUNDED = 100_000
"""Tokenizers without a limit say a huge number."""


def library(what: str) -> Any:
    """The library transformers, quiet; raises Unavailable."""
    try:
        transformers: Any = import_module("transformers")
    except ImportError:
        raise missing_extra(what, "transformers", "text") from None
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def network(config: Any, classes: Sequence[str], tokenizer: Any, head: str) -> nn.Module:
    """The encoder of a configuration with a new head: for the classes, or for masked tokens."""
    import torch

    from ftaug.text.network import Classifier, MaskedTokens

    transformers = library("this backbone")
    has_types = "token_type_ids" in tokenizer.model_input_names
    if head == "masked_tokens":
        model = transformers.AutoModelForMaskedLM.from_config(config, dtype=torch.float32)
        return MaskedTokens(model, has_types=has_types, mask=tokenizer.mask_token_id)
    config.id2label = dict(enumerate(classes))
    config.label2id = {name: code for code, name in enumerate(classes)}
    model = transformers.AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    return Classifier(model, has_types=has_types)


def stages(network: Any) -> tuple[Stage, ...]:
    """From the embeddings over the layers to the head, which is all that lies behind the encoder's layers."""
    from torch import nn

    model = network.model
    prefix = f"model.{model.base_model_prefix}"
    base = model.base_model
    lists = [(name, module) for name, module in base.named_modules() if isinstance(module, nn.ModuleList)]
    name, layers = max(lists, key=lambda found: sum(p.numel() for p in found[1].parameters()))
    path = f"{prefix}.{name}"
    layer_stages = [Stage(f"layer{i + 1}", (f"{path}.{i}",)) for i in range(len(layers))]
    before: list[str] = []
    after: list[str] = []
    seen = False
    for parameter, _ in network.named_parameters():
        inside = parameter.startswith(f"{path}.")
        seen = seen or inside
        if not inside:
            (after if seen or not parameter.startswith(f"{prefix}.") else before).append(parameter)
    return (Stage("embeddings", tuple(before)), *layer_stages, Stage("head", tuple(after)))


def fill_encoder(network: Any, file: WeightFile, head: Stage, *, same_head: bool) -> None:
    """Copy an encoder's tensors, whatever its names begin with, into the network; raises BadData."""
    import torch

    prefix = f"model.{network.model.base_model_prefix}."
    theirs = {_bare(key, prefix): tensor for key, tensor in file.tensors.items()}
    tied = network.state_dict().keys() - {name for name, _ in (*network.named_parameters(), *network.named_buffers())}
    own = {key: tensor for key, tensor in network.state_dict().items() if key not in tied}
    with torch.no_grad():
        for key, tensor in own.items():
            in_head = key in head.modules
            if in_head and not same_head and not key.startswith(prefix):
                continue
            found = theirs.get(_bare(key, prefix))
            if found is None and in_head:
                continue  # such as the pooler, which not every encoder has
            if found is None:
                if tensor.is_floating_point():
                    raise BadData(f"{file.source} does not fit the network: {key} is missing")
                continue
            if found.shape != tensor.shape:
                shapes = f"{list(found.shape)} instead of {list(tensor.shape)}"
                raise BadData(f"{file.source} does not fit the network: {key} is {shapes}")
            if not torch.isfinite(found).all():
                raise BadData(f"{file.source}: {key} holds values that are not finite numbers")
            tensor.copy_(found)


def _bare(key: str, prefix: str) -> str:
    """A tensor's name below the encoder: without `model.bert.` or `bert.`."""
    short = prefix.removeprefix("model.")
    return key.removeprefix("model.").removeprefix(short)


def backbone(
    network: Any, preprocessing: Mapping[str, Any], load: Callable[[], None], facts: Mapping[str, Any], tokenizer: Any
) -> Backbone:
    """The network as a backbone that can be saved as transformers saves it."""

    def save(folder: Any) -> None:
        network.model.save_pretrained(folder)
        tokenizer.model_max_length = preprocessing["max_length"]
        tokenizer.save_pretrained(folder)

    return Backbone(network, stages(network), preprocessing, load, facts, save)


def preprocessing(
    tokenizer: Any, max_length: int | None, limit: int | None, lexicon: Mapping[str, str]
) -> dict[str, Any]:
    """What turns a text into tokens, as JSON values: the whole tokenizer with it."""
    limits = [n for n in (tokenizer.model_max_length, limit) if n is not None and n < UNBOUNDED]
    longest = max_length or min([256, *limits])
    return {
        "tokenizer": tokenizer.backend_tokenizer.to_str(),
        "max_length": longest,
        "pad": int(tokenizer.pad_token_id or 0),
        "types": "token_type_ids" in tokenizer.model_input_names,
        "lexicon": {**lexicon, "mask": tokenizer.mask_token or "[MASK]"},
    }
