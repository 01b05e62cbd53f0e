"""Classifiers of transformers as networks from what the first module of a model gives to logits."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import Any, NoReturn, cast

from torch import Tensor, nn

from ftaug.audio.split_network import split_on_spectrograms, split_on_waveforms
from ftaug.audio.unpadded import ignore_padding, on_waveforms
from ftaug.interfaces.model import CannotCut


class OnSpectrograms(nn.Module):
    """Call a model that takes spectrograms, such as AST."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, spectrograms: Tensor) -> Tensor:
        """Map float32 (N, 1, mels, frames) to logits (N, classes)."""
        return cast(Tensor, self.model(spectrograms[:, 0].transpose(1, 2)).logits)

    def halves(self, learning: Collection[str]) -> tuple[nn.Module, nn.Module]:
        """Split before the first layer that learns; raises CannotCut if it is the first of all."""
        return split_on_spectrograms(self.model, [self.get_parameter(name) for name in learning])


class OnPaddedSpectrograms(nn.Module):
    """Call a model that takes spectrograms of a fixed length, in which padding is silence: Whisper's encoder."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        model.base_model_prefix = "encoder"  # of the library it is that of the model with a decoder
        self.model = model

    def forward(self, spectrograms: Tensor) -> Tensor:
        """Map float32 (N, 1, mels, frames) to logits (N, classes)."""
        return cast(Tensor, self.model(spectrograms[:, 0]).logits)

    def halves(self, learning: Collection[str]) -> NoReturn:
        """Raise CannotCut: the head begins with a normalization of each frame, so all frames had to be stored."""
        raise CannotCut("of Whisper all frames of its window would have to be stored for each sound")


class OnWaveforms(nn.Module):
    """Call a model that takes waveforms, such as wav2vec 2.0, so that padding changes no answer."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask")  # in WavLM
        self.model = model
        ignore_padding(model.base_model)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map float32 (N, 1 + samples), the lengths before the waveforms, to logits (N, classes)."""
        output, _ = on_waveforms(self.model, self.model.base_model, inputs)
        return cast(Tensor, output.logits)

    def halves(self, learning: Collection[str]) -> tuple[nn.Module, nn.Module]:
        """Split before the first layer that learns; raises CannotCut if that is the first."""
        return split_on_waveforms(self.model, [self.get_parameter(name) for name in learning])
