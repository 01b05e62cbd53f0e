"""Networks of transformers for sounds, from a folder or from the Hub: AST, Whisper, wav2vec 2.0 and its relatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from ftaug.audio import backbone
from ftaug.audio.backbones.spectrogram import Seconds, Windows
from ftaug.audio.hf_preprocessing import AST, WHISPER, preprocessing, unsupported
from ftaug.config.experiment import WEIGHTS_INPUT, ModelInput
from ftaug.config.types import Wording
from ftaug.errors import BadData, ExperimentError, MissingInput, first_line
from ftaug.hub.card_license import card_license
from ftaug.hub.fill import fill_encoder
from ftaug.hub.model_folder import ModelPath, has_weights, library, refuse_code, weights_file
from ftaug.hub.stages import stages
from ftaug.interfaces.model import Backbone, Origin
from ftaug.weights import WeightFile, Weights, described, download_error, facts_of, only, read

if TYPE_CHECKING:
    from torch import nn

UNTRAINED = {
    "apply_spec_augment": False,
    "mask_time_prob": 0.0,
    "mask_feature_prob": 0.0,
    "layerdrop": 0.0,
    "encoder_layerdrop": 0.0,
}
"""Settings of a configuration that change training alone: masks are augmentations, which the experiment lists."""
NO_WEIGHT_DECAY = ("*.position_embeddings", "*.embed_positions.*", "*.cls_token", "*.distillation_token")

SoundWeights = Annotated[Weights, only("pretrained", "none"), Wording("pretrained, none or a file")]


class _Files(NamedTuple):
    config: Any  # configuration of transformers
    extractor: Any  # feature extractor of transformers


@backbone.register
def hf(
    classes: Sequence[str],
    input: ModelInput = WEIGHTS_INPUT,
    *,
    path: ModelPath,
    seconds: Seconds | None = None,
    windows: Windows = 3,
    weights: SoundWeights = "pretrained",
) -> Backbone:
    """A network of the library transformers for sounds, such as AST, Whisper, wav2vec 2.0, HuBERT or WavLM.

    Settings:
        path: a folder with config.json, preprocessor_config.json and model.safetensors, or the name of a model on the
            hub
        seconds: how much of a sound the network sees at once, unless set 2; AST and Whisper always see as much as they
            were trained with
        weights: pretrained (those at the path), none, or a file

    Sampling rate and normalization are those of the feature extractor beside the model. Padding changes no answer:
    networks on waveforms ignore it, also in the group normalization of their first layer; AST and Whisper see it as
    their feature extractors pad. What transformers itself does in training, masking and leaving out layers, is off.
    Weights are read from safetensors alone, and no code that comes with a model is run.
    """
    files = _load(path)
    config, labels = files.config, list((files.config.id2label or {}).values())
    form = {**preprocessing(path, files.config, files.extractor, seconds), "windows": windows}
    network = _network(config, classes)
    facts = facts_of(path, card_license(path)) if weights == "pretrained" else facts_of(weights)

    def load() -> None:
        if weights == "none":
            return
        file = read(weights_file(path) if weights == "pretrained" else weights)
        known = labels if weights == "pretrained" else described(file.metadata).get("classes")
        facts.update(fill_encoder(network, _renamed(network, file), same_classes=known == list(classes)))

    def write(folder: Path) -> None:
        config.save_pretrained(folder)
        files.extractor.save_pretrained(folder)

    stored = {"none": None, "pretrained": partial(has_weights, path)}.get(str(weights), Path(str(weights)).is_file)
    origin = Origin("path", write)
    return Backbone(network, stages(network), form, load, facts, _refuse, origin, NO_WEIGHT_DECAY, stored)


def _refuse(folder: Path) -> None:
    raise ExperimentError(
        "exporter 'transformers': transformers neither cuts a sound into windows nor averages them; "
        "use onnx, torch_export or safetensors"
    )


def _load(path: str) -> _Files:
    """Load the configuration and the feature extractor; raises MissingInput, BadData."""
    transformers = library("backbone 'hf'")
    for file in ("config.json", "preprocessor_config.json"):
        if Path(path).is_absolute() and not Path(path, file).is_file():
            raise MissingInput(f"backbone.hf.path: {path} is not a folder with a {file}")
    try:
        content, _ = transformers.PretrainedConfig.get_config_dict(path)
        of_extractor, _ = transformers.FeatureExtractionMixin.get_feature_extractor_dict(path)
        refuse_code(f"backbone.hf.path: {path}", {"config.json": content, "preprocessor_config.json": of_extractor})
        config = transformers.AutoConfig.from_pretrained(path, trust_remote_code=False, **UNTRAINED)
        extractor = transformers.AutoFeatureExtractor.from_pretrained(path, trust_remote_code=False)
    except OSError as error:
        raise MissingInput(f"backbone.hf.path: {download_error(path, error)}") from None
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadData(f"backbone.hf.path: {path}: {first_line(error)}") from None
    if reason := unsupported(content):
        raise BadData(f"backbone.hf.path: {path} {reason}")
    return _Files(config, extractor)


def _network(config: Any, classes: Sequence[str]) -> nn.Module:
    import torch

    from ftaug.audio import network

    config.id2label = dict(enumerate(classes))
    config.label2id = {name: code for code, name in enumerate(classes)}
    model = library("backbone 'hf'").AutoModelForAudioClassification.from_config(config, dtype=torch.float32)
    if config.model_type == WHISPER:
        return network.OnPaddedSpectrograms(model)
    return network.OnSpectrograms(model) if config.model_type == AST else network.OnWaveforms(model)


def _renamed(network: Any, file: WeightFile) -> WeightFile:
    """Name the tensors of a file as the installed version of transformers does; those that it does not take go."""
    import torch

    if file.match == "order":
        return file
    tensors = {key.removeprefix("model."): tensor for key, tensor in file.tensors.items()}
    with torch.random.fork_rng(devices=[]):
        model, report = type(network.model).from_pretrained(
            None,
            config=network.model.config,
            state_dict=tensors,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    left = {*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])}
    return replace(file, tensors={key: tensor for key, tensor in model.state_dict().items() if key not in left})
