"""Encoders of the library transformers as backbones: their stages, their heads, their weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ftaug.errors import BadData, ExperimentError, missing_extra
from ftaug.interfaces.model import Backbone, Stage
from ftaug.weight_matching import misfit
from ftaug.weights import WeightFile, copy, fill_by_order, without_prefixes

if TYPE_CHECKING:
    from torch import nn

UNBOUNDED = 100_000
"""Tokenizers without a limit say a huge number."""


NO_WEIGHT_DECAY = ("*.position_embeddings.weight", "*.relative_attention_bias.weight", "*.rel_embeddings.weight")
"""What an encoder knows of positions."""


def library(what: str) -> Any:
    """The library transformers, quiet; raises Unavailable."""
    try:
        transformers: Any = import_module("transformers")
    except ImportError:
        raise missing_extra(what, "transformers", "text") from None
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def network(config: Any, classes: Sequence[str], tokenizer: Any, head: str, pooling: str = "model") -> nn.Module:
    """The encoder of a configuration with a new head: for the classes, or for masked tokens."""
    import torch

    from ftaug.text.cpu_dropout import use_fast_dropout
    from ftaug.text.mean_pooling import MeanClassifier, MeanPooled
    from ftaug.text.network import Classifier, MaskedTokens

    transformers = library("this backbone")
    has_types = "token_type_ids" in tokenizer.model_input_names
    if head == "masked_tokens":
        model = transformers.AutoModelForMaskedLM.from_config(config, dtype=torch.float32)
        use_fast_dropout(model)
        return MaskedTokens(model, has_types=has_types, mask=tokenizer.mask_token_id)
    config.id2label = dict(enumerate(classes))
    config.label2id = {name: code for code, name in enumerate(classes)}
    if pooling == "mean":
        encoder = transformers.AutoModel.from_config(config, dtype=torch.float32)
        use_fast_dropout(encoder)
        return MeanClassifier(MeanPooled(encoder, len(classes)), has_types=has_types)
    model = transformers.AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    use_fast_dropout(model)
    return Classifier(model, has_types=has_types)


def stages(network: Any) -> tuple[Stage, ...]:
    """From the embeddings over the layers to the head, which is all that lies behind the encoder's layers.

    What the layers share of positions belongs to the embeddings. Where all layers share their weights, they are one.
    """
    from ftaug.text.network import embeddings_of, stack_of

    base = network.model.base_model
    name, layers = stack_of(base)
    path = f"model.{network.model.base_model_prefix}.{name}"
    layer_stages = [Stage(f"layer{i + 1}", (f"{path}.{i}",)) for i in range(len(layers))]
    inside = {id(p) for p in layers.parameters()}
    first = embeddings_of(base, inside)
    before: list[str] = []
    after: list[str] = []
    for parameter, tensor in network.named_parameters():
        if id(tensor) not in inside:
            (before if id(tensor) in first else after).append(parameter)
    return (Stage("embeddings", tuple(before)), *layer_stages, Stage("head", tuple(after)))


def positions(model: Any) -> int | None:
    """The most tokens that a model of transformers takes; None where there is no limit."""
    from torch import nn

    for name, module in model.base_model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            taken = 0 if module.padding_idx is None else module.padding_idx + 1  # positions start behind padding's
            return module.num_embeddings - taken
    limit: int | None = getattr(model.config, "max_position_embeddings", None)
    return limit


def fill_encoder(network: Any, file: WeightFile, *, same_classes: bool) -> dict[str, Any]:
    """Copy an encoder's tensors, whatever its names begin with, into the network; raises BadData.

    A head too, where it is for the same classes or guesses tokens; by order neither a head nor a pooler.
    Returns what people should know of it, for `Backbone.facts`.
    """
    from ftaug.text.network import MaskedTokens

    prefix = f"model.{network.model.base_model_prefix}."
    own = network.state_dict()
    head = Stage("head", tuple(key for key in own if not key.startswith(prefix) or ".pooler." in key))
    if file.match == "order":
        return fill_by_order(network, file, head)
    guesses = isinstance(network, MaskedTokens)
    theirs = {_bare(key, prefix): tensor for key, tensor in without_prefixes(file.tensors, network).items()}
    wanted = {
        key: tensor
        for key, tensor in own.items()
        if tensor.is_floating_point() and (key.startswith(prefix) or same_classes or guesses)
    }
    found = {key: theirs[_bare(key, prefix)] for key in wanted if _bare(key, prefix) in theirs}
    has_head = not guesses and any(not key.startswith(prefix) for key in found)
    needed = (key for key in wanted if (key.startswith(prefix) and ".pooler." not in key) or has_head)
    wrong = [f"{key} is missing" for key in needed if key not in found]
    shapes = ((key, list(tensor.shape), list(wanted[key].shape)) for key, tensor in found.items())
    wrong += [f"{key} is {given} instead of {expected}" for key, given, expected in shapes if given != expected]
    if wrong:
        full = {_bare(key, prefix): key for key in own}
        named = {full.get(key, key): tensor for key, tensor in theirs.items()}
        raise BadData(misfit(file.source, wrong, own, named, head))
    copy(file.source, found, wanted)
    return {"notes": list(file.notes)} if file.notes else {}


def _bare(key: str, prefix: str) -> str:
    """A tensor's name below the encoder, without `model.bert.` or `bert.`, as it is called today."""
    short = prefix.removeprefix("model.")
    bare = key.removeprefix("model.").removeprefix(short)
    return bare.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def backbone(
    network: Any, preprocessing: Mapping[str, Any], load: Callable[[], None], facts: Mapping[str, Any], tokenizer: Any
) -> Backbone:
    """The network as a backbone that can be saved as transformers saves it."""

    def save(folder: Any) -> None:
        if not hasattr(network.model, "save_pretrained"):
            raise ExperimentError(
                "exporter 'transformers': transformers has no model for a classifier with pooling: mean; "
                "use onnx, torch_export or safetensors, or train with pooling: model"
            )
        network.model.save_pretrained(folder)
        tokenizer.model_max_length = preprocessing["max_length"]
        tokenizer.save_pretrained(folder)

    return Backbone(network, stages(network), preprocessing, load, facts, save, no_weight_decay=NO_WEIGHT_DECAY)


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
        "lexicon": {**lexicon, "mask": tokenizer.mask_token or ""},
    }
