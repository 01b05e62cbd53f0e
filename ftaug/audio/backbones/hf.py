"""Networks of transformers for sounds, from a folder or from the Hub: AST, wav2vec 2.0 and its relatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from ftaug.audio import backbone
from ftaug.audio.backbones.spectrogram import Seconds, Windows
from ftaug.audio.front_ends import front_end
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

AST = "audio-spectrogram-transformer"
ON_WAVEFORMS = ("wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat")
"""Of data2vec-audio, padding reaches the sound through the convolutions behind its features."""
SECONDS = 2.0
UNTRAINED = {"apply_spec_augment": False, "mask_time_prob": 0.0, "mask_feature_prob": 0.0, "layerdrop": 0.0}
"""Settings of a configuration that change training alone: masks are augmentations, which the experiment lists."""
NO_WEIGHT_DECAY = ("*.position_embeddings", "*.cls_token", "*.distillation_token")

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
    """A network of the library transformers for sounds, such as AST, wav2vec 2.0, HuBERT or WavLM.

    Settings:
        path: a folder with config.json, preprocessor_config.json and model.safetensors, or the name of a model on the
            hub
        seconds: how much of a sound the network sees at once, unless set 2; AST always sees as much as it was trained
            with
        weights: pretrained (those at the path), none, or a file

    Sampling rate and normalization are those of the feature extractor beside the model. Padding changes no answer:
    networks on waveforms ignore it, also in the group normalization of their first layer; AST sees it as its feature
    extractor pads. What transformers itself does in training, masking and leaving out layers, is off. Weights are read
    from safetensors alone, and no code that comes with a model is run.
    """
    files = _load(path)
    config, labels = files.config, list((files.config.id2label or {}).values())
    form = {**_preprocessing(path, files, seconds), "windows": windows}
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


def unsupported(config: Mapping[str, Any]) -> str | None:
    """Return why a network with this content of config.json is not read, as a predicate; None if it is."""
    family = config.get("model_type")
    if family not in (AST, *ON_WAVEFORMS):
        return f"is a '{family}', which is not read: use AST, wav2vec2, hubert, wavlm or unispeech"
    return "has an adapter (add_adapter), which has no classifier" if config.get("add_adapter") else None


def _network(config: Any, classes: Sequence[str]) -> nn.Module:
    import torch

    from ftaug.audio.network import OnSpectrograms, OnWaveforms

    config.id2label = dict(enumerate(classes))
    config.label2id = {name: code for code, name in enumerate(classes)}
    model = library("backbone 'hf'").AutoModelForAudioClassification.from_config(config, dtype=torch.float32)
    return OnSpectrograms(model) if config.model_type == AST else OnWaveforms(model)


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


def _preprocessing(path: str, files: _Files, seconds: float | None) -> dict[str, Any]:
    """Return the preprocessing, as the feature extractor does it; raises ExperimentError, BadData."""
    config, extractor = files
    rate = int(extractor.sampling_rate)
    if config.model_type != AST:
        settings = {"normalize": bool(extractor.do_normalize), "fewest": _receptive_field(config)}
        return {"waveform": settings, "rate": rate, "samples": round((seconds or SECONDS) * rate)}
    if seconds is not None:
        raise ExperimentError("backbone.hf.seconds: AST always sees as much as it was trained with; leave it out")
    size = (extractor.num_mel_bins, extractor.max_length)
    if size != (config.num_mel_bins, config.max_length):
        raise BadData(
            f"backbone.hf.path: {path}: the feature extractor gives {size[0]} mels × {size[1]} frames, "
            f"the network takes {config.num_mel_bins} × {config.max_length}"
        )
    return of_ast(rate, *size, *_normalization(extractor))


def _normalization(extractor: Any) -> tuple[float, float]:
    """Return the mean and the divisor of features; AST divides by twice the standard deviation."""
    return (float(extractor.mean), 2 * float(extractor.std)) if extractor.do_normalize else (0.0, 1.0)


def of_ast(rate: int, mels: int, frames: int, mean: float, divisor: float) -> dict[str, Any]:
    """Return the preprocessing of AST, whose feature extractor pads with zeros before it normalizes."""
    return {
        "front_end": "ast",
        "rate": rate,
        "samples": fixed_window(rate, mels, frames),
        "mels": mels,
        "channels": 1,
        "size": [mels, frames],
        "resize": None,
        "normalized": {"mean": mean, "std": divisor, "padding": -mean / divisor},
    }


def fixed_window(rate: int, mels: int, frames: int) -> int:
    """Return the samples that AST sees at once."""
    form = front_end("ast", rate, mels)
    return form.frame + (frames - 1) * form.hop


def _receptive_field(config: Any) -> int:
    """Return the samples that one frame of a network on waveforms depends on."""
    samples = 1
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples
