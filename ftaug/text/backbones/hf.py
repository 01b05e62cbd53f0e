"""Hugging Face text encoders, from a folder or from the Hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from ftaug.config.experiment import WEIGHTS_INPUT, ModelInput
from ftaug.config.types import Count, Wording
from ftaug.errors import BadData, ExperimentError, MissingInput, first_line, missing_extra
from ftaug.hub.card_license import card_license
from ftaug.hub.fill import fill_encoder
from ftaug.hub.model_folder import ModelPath, has_weights, library, refuse_code, weights_file
from ftaug.interfaces.model import Backbone, Origin
from ftaug.text import backbone, pooling_file
from ftaug.text.backbones import encoders
from ftaug.weights import Weights, described, download_error, facts_of, only, read

EncoderWeights = Annotated[Weights, only("pretrained", "none"), Wording("pretrained, none or a file")]


@backbone.register
def hf(
    classes: Sequence[str],
    input: ModelInput = WEIGHTS_INPUT,
    *,
    path: ModelPath,
    max_length: Count | None = None,
    weights: EncoderWeights = "pretrained",
    head: Literal["classes", "masked_tokens"] = "classes",
    pooling: Literal["auto", "model", "mean"] = "auto",
) -> Backbone:
    """A text encoder of the library transformers, such as BERT, RoBERTa, DeBERTa, ModernBERT or MiniLM.

    Settings:
        path: a folder with config.json, tokenizer.json and model.safetensors, or the name of a model on the hub
        max_length: the most tokens of a text that the model sees; what follows is cut; unless set 256, or fewer where
            the model takes fewer
        weights: pretrained (those at the path), none, or a file
        head: classes, or masked_tokens to train the encoder on texts without labels (`objective: masked_tokens`)
        pooling: how the tokens become one vector for the classes: model (by the model's own classification head, such
            as BERT's pooler on the first token), mean (the mean of the last hidden states over all tokens, with dropout
            and one linear layer on it) or auto (mean where the model's 1_Pooling/config.json, which
            sentence-transformers writes, says mean; else model)

    Weights are read from safetensors alone, and no code that comes with a model is run. With `ftaug --offline` nothing
    is downloaded.
    """
    if head == "masked_tokens" and pooling != "auto":
        raise ExperimentError(f"backbone.hf.pooling: {pooling} is for head: classes; leave it out")
    config, tokenizer = _load_config(path)
    pooled = _pooling_file(path)
    by_file = pooling == "auto" and head == "classes" and pooling_file.asks_for_mean(path, pooled)
    labels = list((config.id2label or {}).values())  # classes of the pretrained head, if there is one
    network = encoders.network(config, classes, tokenizer, head, "mean" if by_file else pooling)
    limit = encoders.positions(network.model)
    if max_length is not None and limit is not None and max_length > limit:
        raise ExperimentError(
            f"backbone.hf.max_length must be at most {limit}, the positions of {path}; got {max_length}"
        )
    preprocessing = encoders.preprocessing(tokenizer, max_length, limit, {"path": path})

    facts = facts_of(path, card_license(path)) if weights == "pretrained" else facts_of(weights)
    if by_file:
        facts["auto"] = {"pooling": f"auto → mean ({pooling_file.NAME})"}

    def load() -> None:
        if weights == "none":
            return
        file = read(weights_file(path) if weights == "pretrained" else weights)
        known = labels if weights == "pretrained" else described(file.metadata).get("classes")
        tokens = head == "masked_tokens"
        facts.update(fill_encoder(network, file, same_classes=known == list(classes), predicts_tokens=tokens))

    def write(folder: Path) -> None:
        config.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        if pooled is not None:
            (folder / pooling_file.NAME).parent.mkdir()
            (folder / pooling_file.NAME).write_text(pooled, encoding="utf-8")

    files = {"none": None, "pretrained": partial(has_weights, path)}
    stored = files.get(str(weights), Path(str(weights)).is_file)
    return replace(
        encoders.backbone(network, preprocessing, load, facts, tokenizer), origin=Origin("path", write), stored=stored
    )


def _load_config(path: str) -> tuple[Any, Any]:
    """Load the configuration and the tokenizer; raises MissingInput, BadData."""
    transformers = library("backbone 'hf'")
    if Path(path).is_absolute() and not Path(path, "config.json").is_file():
        raise MissingInput(f"backbone.hf.path: {path} is not a folder with a config.json")
    try:
        content, _ = transformers.PretrainedConfig.get_config_dict(path)
        of_tokenizer = transformers.models.auto.tokenization_auto.get_tokenizer_config(path)
        refuse_code(f"backbone.hf.path: {path}", {"config.json": content, "tokenizer_config.json": of_tokenizer})
        config = transformers.AutoConfig.from_pretrained(path, trust_remote_code=False)
        tokenizer = transformers.AutoTokenizer.from_pretrained(path, trust_remote_code=False)
    except OSError as error:
        raise MissingInput(f"backbone.hf.path: {download_error(path, error)}") from None
    except ImportError as error:
        raise missing_extra(f"the tokenizer of {path} ({first_line(error)})", "transformers", "text") from None
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadData(f"backbone.hf.path: {path}: {first_line(error)}") from None
    _check_encoder(transformers, path, config)
    _check_tokenizer(path, config, tokenizer)
    return config, tokenizer


def _pooling_file(path: str) -> str | None:
    """Read a model's 1_Pooling/config.json of sentence-transformers; None if it has none."""
    if Path(path).is_absolute():
        return pooling_file.content(Path(path))
    from transformers.utils.hub import cached_file

    try:
        return Path(str(cached_file(path, pooling_file.NAME))).read_text(encoding="utf-8")
    except OSError:  # the configuration could be read, so it is this file that the model lacks
        return None


def _check_encoder(transformers: Any, path: str, config: Any) -> None:
    """Raise BadData for a model that is not an encoder with a sequence classification head."""
    known = (transformers.MODEL_FOR_MASKED_LM_MAPPING, transformers.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING)
    if config.is_encoder_decoder or not all(type(config) in models for models in known):
        raise BadData(
            f"backbone.hf.path: {path} is a '{config.model_type}', which is not a text encoder: use one such as "
            "BERT, RoBERTa, DeBERTa or ModernBERT"
        )


def _check_tokenizer(path: str, config: Any, tokenizer: Any) -> None:
    """Raise BadData for a tokenizer that is not fast, or larger than the model's vocabulary."""
    if not getattr(tokenizer, "is_fast", False):
        raise BadData(f"backbone.hf.path: {path} has no tokenizer.json; save one with tokenizer.save_pretrained")
    if len(tokenizer) > config.vocab_size:
        raise BadData(
            f"backbone.hf.path: the tokenizer in {path} has {len(tokenizer):,} tokens, the model {config.vocab_size:,}"
        )
