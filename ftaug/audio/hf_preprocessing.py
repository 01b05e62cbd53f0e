"""What networks of transformers for sounds take, by their configurations and feature extractors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftaug.audio.front_ends import front_end
from ftaug.errors import BadData, ExperimentError

AST, WHISPER = "audio-spectrogram-transformer", "whisper"
ON_WAVEFORMS = ("wav2vec2", "hubert", "wavlm", "unispeech", "unispeech-sat")
"""Of data2vec-audio, padding reaches the sound through the convolutions behind its features."""
SECONDS = 2.0


def unsupported(config: Mapping[str, Any]) -> str | None:
    """Return why a network with this content of config.json is not read, as a predicate; None if it is."""
    family = config.get("model_type")
    if family not in (AST, WHISPER, *ON_WAVEFORMS):
        kind = "of no known kind (model_type in config.json)" if family is None else f"a '{family}'"
        return f"is {kind}, which is not read: use AST, whisper, wav2vec2, hubert, wavlm or unispeech"
    return "has an adapter (add_adapter), which has no classifier" if config.get("add_adapter") else None


def preprocessing(path: str, config: Any, extractor: Any, seconds: float | None) -> dict[str, Any]:
    """Return the preprocessing, as the feature extractor does it; raises ExperimentError, BadData."""
    rate = int(extractor.sampling_rate)
    if config.model_type in ON_WAVEFORMS:
        settings = {"normalize": bool(extractor.do_normalize), "fewest": _receptive_field(config)}
        return {"waveform": settings, "rate": rate, "samples": round((seconds or SECONDS) * rate)}
    if seconds is not None:
        raise ExperimentError(
            "backbone.hf.seconds: AST and Whisper always see as much as they were trained with; leave it out"
        )
    if config.model_type == WHISPER:
        given = (extractor.feature_size, extractor.nb_max_frames)
        _check_size(path, given, (config.num_mel_bins, 2 * config.max_source_positions))
        return of_whisper(rate, *given)
    given = (extractor.num_mel_bins, extractor.max_length)
    _check_size(path, given, (config.num_mel_bins, config.max_length))
    return of_ast(rate, *given, *_normalization(extractor))


def _check_size(path: str, given: tuple[int, int], taken: tuple[int, int]) -> None:
    """Raise BadData if a feature extractor gives other numbers of mels and frames than its network takes."""
    if given != taken:
        raise BadData(
            f"backbone.hf.path: {path}: the feature extractor gives {given[0]} mels × {given[1]} frames, "
            f"the network takes {taken[0]} × {taken[1]}"
        )


def _normalization(extractor: Any) -> tuple[float, float]:
    """Return the mean and the divisor of features; AST divides by twice the standard deviation."""
    return (float(extractor.mean), 2 * float(extractor.std)) if extractor.do_normalize else (0.0, 1.0)


def of_ast(rate: int, mels: int, frames: int, mean: float, divisor: float) -> dict[str, Any]:
    """Return the preprocessing of AST, whose feature extractor pads with zeros before it normalizes."""
    normalized = {"mean": mean, "std": divisor, "padding": -mean / divisor}
    return _on_spectrograms("ast", rate, mels, frames, normalized)


def of_whisper(rate: int, mels: int, frames: int) -> dict[str, Any]:
    """Return the preprocessing of Whisper, whose feature extractor pads the waveform, so that padding has features."""
    return _on_spectrograms("whisper", rate, mels, frames, {"mean": 0.0, "std": 1.0, "padding": None})


def _on_spectrograms(name: str, rate: int, mels: int, frames: int, normalized: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "front_end": name,
        "rate": rate,
        "samples": fixed_window(name, rate, mels, frames),
        "mels": mels,
        "channels": 1,
        "size": [mels, frames],
        "resize": None,
        "normalized": normalized,
    }


def fixed_window(name: str, rate: int, mels: int, frames: int) -> int:
    """Return the samples that a network on so many frames of a front end sees at once."""
    form = front_end(name, rate, mels)
    return frames * form.hop if form.centered else form.frame + (frames - 1) * form.hop


def _receptive_field(config: Any) -> int:
    """Return the samples that one frame of a network on waveforms depends on."""
    samples = 1
    for kernel, stride in zip(reversed(config.conv_kernel), reversed(config.conv_stride), strict=True):
        samples = (samples - 1) * stride + kernel
    return samples
