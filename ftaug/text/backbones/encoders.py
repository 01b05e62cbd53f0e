"""Text encoders of transformers as backbones: heads, stages and pretrained weights."""

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
"""Tokenizers without a maximum length report a huge number; values above this are ignored."""


NO_WEIGHT_DECAY = ("*.position_embeddings.weight", "*.relative_attention_bias.weight", "*.rel_embeddings.weight")
"""Position embeddings, which are excluded from weight decay."""


def library(what: str) -> Any:
    """Import transformers with its log output disabled; raises Unavailable."""
    try:
        transformers: Any = import_module("transformers")
    except ImportError:
        raise missing_extra(what, "transformers", "text") from None
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def network(config: Any, classes: Sequence[str], tokenizer: Any, head: str, pooling: str = "model") -> nn.Module:
    """Build an encoder from its configuration with a new head: classification or masked language modeling."""
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
    """Return the stages: embeddings, one per encoder layer, and the head (everything after the layers).

    Position parameters shared by the layers belong to the embeddings. If all layers share weights, they are one stage.
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
    """Return the maximum number of tokens of a model of transformers; None if unlimited."""
    from torch import nn

    for name, module in model.base_model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            taken = 0 if module.padding_idx is None else module.padding_idx + 1  # positions start after padding_idx
            return module.num_embeddings - taken
    limit: int | None = getattr(model.config, "max_position_embeddings", None)
    return limit


def fill_encoder(network: Any, file: WeightFile, *, same_classes: bool) -> dict[str, Any]:
    """Load an encoder's weights into the network, ignoring name prefixes; raises BadData.

    The head is loaded too if it has the same classes or predicts masked tokens; with `match: order` neither head nor
    pooler is. Return human-readable notes for `Backbone.facts`.
    """
    from ftaug.text.network import MaskedTokens

    prefix = f"model.{network.model.base_model_prefix}."
    state = network.state_dict()
    head = Stage("head", tuple(key for key in state if not key.startswith(prefix) or ".pooler." in key))
    if file.match == "order":
        return fill_by_order(network, file, head)
    predicts_tokens = isinstance(network, MaskedTokens)
    checkpoint = {_bare(key, prefix): tensor for key, tensor in without_prefixes(file.tensors, network).items()}
    targets = {
        key: tensor
        for key, tensor in state.items()
        if tensor.is_floating_point() and (key.startswith(prefix) or same_classes or predicts_tokens)
    }
    matched = {key: checkpoint[_bare(key, prefix)] for key in targets if _bare(key, prefix) in checkpoint}
    has_head = not predicts_tokens and any(not key.startswith(prefix) for key in matched)
    needed = (key for key in targets if (key.startswith(prefix) and ".pooler." not in key) or has_head)
    problems = [f"{key} is missing" for key in needed if key not in matched]
    shapes = ((key, list(tensor.shape), list(targets[key].shape)) for key, tensor in matched.items())
    problems += [
        f"{key} is {shape} instead of {expected_shape}"
        for key, shape, expected_shape in shapes
        if shape != expected_shape
    ]
    if problems:
        full_names = {_bare(key, prefix): key for key in state}
        by_full_name = {full_names.get(key, key): tensor for key, tensor in checkpoint.items()}
        raise BadData(misfit(file.source, problems, state, by_full_name, head))
    copy(file.source, matched, targets)
    return {"notes": list(file.notes)} if file.notes else {}


def _bare(key: str, prefix: str) -> str:
    """Strip the prefix (`model.bert.` or `bert.`) from a tensor name and translate legacy LayerNorm names."""
    short = prefix.removeprefix("model.")
    bare = key.removeprefix("model.").removeprefix(short)
    return bare.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def backbone(
    network: Any, preprocessing: Mapping[str, Any], load: Callable[[], None], facts: Mapping[str, Any], tokenizer: Any
) -> Backbone:
    """Wrap the network as a Backbone that can be saved with `save_pretrained`."""

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
    """Return the preprocessing as JSON values, including the serialized tokenizer."""
    limits = [n for n in (tokenizer.model_max_length, limit) if n is not None and n < UNBOUNDED]
    longest = max_length or min([256, *limits])
    return {
        "tokenizer": tokenizer.backend_tokenizer.to_str(),
        "max_length": longest,
        "pad": int(tokenizer.pad_token_id or 0),
        "types": "token_type_ids" in tokenizer.model_input_names,
        "lexicon": {**lexicon, "mask": tokenizer.mask_token or ""},
    }
