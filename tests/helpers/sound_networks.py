"""Tiny networks of transformers for sounds, with random weights, in folders."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers

SHAPE: dict[str, Any] = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "num_labels": 3,
}
WAVES: dict[str, Any] = {
    "conv_dim": (8, 8, 8),
    "conv_kernel": (10, 3, 3),
    "conv_stride": (5, 4, 4),
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "classifier_proj_size": 12,
}
CONFIGS: dict[str, Any] = {
    "wav2vec2": lambda: transformers.Wav2Vec2Config(**SHAPE, **WAVES),
    "wav2vec2-layer": lambda: transformers.Wav2Vec2Config(
        **SHAPE, **WAVES, feat_extract_norm="layer", do_stable_layer_norm=True, use_weighted_layer_sum=True
    ),
    "hubert": lambda: transformers.HubertConfig(**SHAPE, **WAVES),
    "wavlm": lambda: transformers.WavLMConfig(**SHAPE, **WAVES),
    "unispeech": lambda: transformers.UniSpeechConfig(**SHAPE, **WAVES),
    "unispeech-sat": lambda: transformers.UniSpeechSatConfig(**SHAPE, **WAVES),
    "ast": lambda: transformers.ASTConfig(**SHAPE, max_length=64, num_mel_bins=32),
    "whisper": lambda: transformers.WhisperConfig(
        d_model=24,
        encoder_layers=2,
        encoder_attention_heads=2,
        encoder_ffn_dim=48,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=48,
        vocab_size=10,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
        num_mel_bins=32,
        max_source_positions=50,
        classifier_proj_size=12,
        num_labels=3,
    ),
}
FIXED = ("ast", "whisper")
"""Those that have no setting `seconds`."""
ON_WAVEFORMS = [name for name in CONFIGS if name not in FIXED]


def write(folder: Path, family: str, config: Mapping[str, Any] | None = None, **extractor: Any) -> Path:
    """The folder of a network with three classes, and its feature extractor with these settings."""
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    settings_of = CONFIGS[family]()
    settings_of.update(config or {})
    model = transformers.AutoModelForAudioClassification.from_config(settings_of)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.3)  # else all sounds have nearly the same logits
    model.save_pretrained(folder)
    if family == "ast":
        settings = {"num_mel_bins": 32, "max_length": 64, "mean": -6.8, "std": 5.5, **extractor}
        transformers.ASTFeatureExtractor(**settings).save_pretrained(folder)
    elif family == "whisper":
        transformers.WhisperFeatureExtractor(**{"feature_size": 32, "chunk_length": 1, **extractor}).save_pretrained(
            folder
        )
    else:
        transformers.Wav2Vec2FeatureExtractor(**extractor).save_pretrained(folder)
    return folder


@torch.no_grad()
def expected_logits(folder: Path, wave: Any, rate: int = 16_000) -> torch.Tensor:
    """What transformers itself answers for one waveform, alone and without padding."""
    model = transformers.AutoModelForAudioClassification.from_pretrained(folder).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    logits: torch.Tensor = model(**extractor(wave, sampling_rate=rate, return_tensors="pt")).logits[0]
    return logits
