"""Export of audio models: a waveform of any length in, the spectrogram inside of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.audio.clip import Clip, Recording
from ftaug.audio.io.resample import QUALITY
from ftaug.audio.packed import BEGIN, END, HEADER
from ftaug.config.registry import Component
from ftaug.interfaces.export import ExportSignature, PipelineTask, Reading, ScriptSource

IMPORTS = ("import numpy as np", "import soundfile", "import soxr")
SCRIPT = '''\
CHANNELS = {channels!r}


def mono(sound):
    """One channel of a sound (samples, channels)."""
    if CHANNELS == "mix":
        return sound.mean(axis=1)
    loudest = (sound.astype(np.float64) ** 2).sum(axis=0).argmax()
    return sound[:, {{"left": 0, "first": 0, "right": 1 % sound.shape[1]}}.get(CHANNELS, loudest)]


def read(path):
    """Yield the file's name and the inputs of a batch of one: its waveform in -1..1, and its length."""
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    wave = np.ascontiguousarray(mono(sound))
    if rate != metadata["preprocessing"]["rate"]:
        wave = soxr.resample(wave, rate, metadata["preprocessing"]["rate"], metadata["preprocessing"]["resampling"])
    yield path, {{"waveform": wave[None].astype(np.float32), "length": np.array([len(wave)])}}

'''


class OverWindows(nn.Module):
    """Average the logits of the windows of each sound."""

    def __init__(self, model: nn.Module, windows: int) -> None:
        super().__init__()
        self.model, self.windows = model, windows

    def forward(self, packed: Tensor) -> Tensor:
        """Map packed windows (N · windows, HEADER + samples) to logits (N, classes)."""
        logits: Tensor = self.model(packed)
        return logits.view(-1, self.windows, logits.shape[1]).mean(dim=1)


class OfWaveform(nn.Module):
    """Cut the windows of evaluation out of waveforms, and call a model on them."""

    def __init__(self, model: nn.Module, samples: int, windows: int) -> None:
        super().__init__()
        self.model, self.samples, self.windows = model, samples, windows

    def forward(self, waveform: Tensor, length: Tensor) -> Any:
        """Call the model on waveforms, float32 (N, samples) in -1…1, of which int64 (N,) samples are no padding."""
        return self.model(self.packed(waveform, length))

    def packed(self, waveform: Tensor, length: Tensor) -> Tensor:
        """Cut and pack windows: (N · windows, HEADER + samples)."""
        rest = (length - self.samples).clamp_min(0)[:, None]
        places = torch.arange(self.windows, device=waveform.device)
        last = self.windows - 1
        first = (2 * rest * places + last) // (2 * last) if last else rest // 2
        index = (first[:, :, None] + torch.arange(self.samples, device=waveform.device)).flatten(1)
        inside = index < length[:, None]
        cut = waveform.gather(1, index.minimum(length[:, None] - 1))
        waves = torch.where(inside, cut, 0).reshape(-1, self.samples)
        end = (length[:, None] - first).clamp_max(self.samples).reshape(-1, 1)
        begin, boxes = torch.zeros_like(end), end.new_zeros(1).expand(end.shape[0], HEADER - 2)
        assert (BEGIN, END) == (0, 1)
        return torch.cat([begin.to(waves.dtype), end.to(waves.dtype), boxes.to(waves.dtype), waves], dim=1)


def export_signature(
    model: nn.Module, preprocessing: Mapping[str, Any], activate: Callable[[nn.Module], nn.Module]
) -> ExportSignature:
    """Return the signature of a model that takes waveforms and their lengths."""
    windows = preprocessing["windows"]
    return ExportSignature(
        OfWaveform(activate(OverWindows(model, windows)), preprocessing["samples"], windows),
        inputs_of,
        {"waveform": {0: "batch", 1: "samples"}, "length": {0: "batch"}},
        {},
        {**preprocessing, "resampling": QUALITY},
        {},
        PipelineTask("audio-classification", "AutoModelForAudioClassification", (), (), _refuse_pipeline),
    )


def inputs_of(batch: Tensor) -> dict[str, Tensor]:
    """Return packed windows that begin with their sound as waveforms with their lengths."""
    return {"waveform": batch[:, HEADER:].contiguous(), "length": batch[:, END].long()}


def _refuse_pipeline(folder: Path) -> NoReturn:
    raise NotImplementedError("networks for pictures on spectrograms are not in transformers")


def reading(preprocessing: Mapping[str, Any], train: Component) -> Reading:
    """Return how an inference script reads sounds: with soundfile and soxr."""
    channels = train.settings.get("channels", "mix")
    steps = [
        {"step": "decode", "dtype": "float32", "range": [-1, 1]},
        {"step": "channels", "channels": channels},
        {"step": "resample", "rate": preprocessing["rate"], "library": "soxr", "quality": QUALITY},
    ]

    def source(input_name: str) -> ScriptSource:
        return ScriptSource(IMPORTS, ("numpy", "soundfile", "soxr"), SCRIPT.format(channels=channels), "SOUND")

    return Reading(steps, source)


def synthetic(preprocessing: Mapping[str, Any]) -> list[Clip]:
    """Return deterministic sounds of several lengths, levels and sampling rates, not longer than a window."""
    rng = np.random.default_rng(0)
    rate, seconds = preprocessing["rate"], preprocessing["samples"] / preprocessing["rate"]
    shapes = ((rate, 0.05), (rate, 0.4), (rate, 1.0), (44_100, 0.7), (8_000, 1.0))
    return [_sweep(rng, sampled, share * seconds) for sampled, share in shapes]


def _sweep(rng: np.random.Generator, rate: int, seconds: float) -> Clip:
    """Return a rising tone in noise."""
    time = np.arange(max(1, int(seconds * rate))) / rate
    tone = np.sin(2 * np.pi * (200 * time + 900 * time**2))
    return Clip(Recording(np.asarray(0.3 * tone + 0.02 * rng.standard_normal(len(time)), np.float32), rate))
