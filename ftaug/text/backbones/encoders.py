"""Text encoders of transformers as backbones: heads, stages and pretrained weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ftaug.errors import ExperimentError
from ftaug.hub.model_folder import library
from ftaug.hub.stages import stages
from ftaug.interfaces.model import Backbone

if TYPE_CHECKING:
    from torch import nn

UNBOUNDED = 100_000
"""Tokenizers without a maximum length report a huge number; values above this are ignored."""


NO_WEIGHT_DECAY = ("*.position_embeddings.weight", "*.relative_attention_bias.weight", "*.rel_embeddings.weight")
"""Position embeddings, which are excluded from weight decay."""


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


def positions(model: Any) -> int | None:
    """Return the maximum number of tokens of a model of transformers; None if unlimited."""
    from torch import nn

    for name, module in model.base_model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            taken = 0 if module.padding_idx is None else module.padding_idx + 1  # positions start after padding_idx
            return module.num_embeddings - taken
    limit: int | None = getattr(model.config, "max_position_embeddings", None)
    return limit


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
