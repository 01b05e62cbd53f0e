"""Ways from sound files to batches of spectrograms, for `audio`: of ftaug, of transformers and of torchaudio."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch
from torch import Tensor

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.backbones.spectrogram import preprocessing
from ftaug.audio.clip import Clip
from ftaug.audio.log_mel import LogMel
from ftaug.config.schema import component_named
from ftaug.engine.loading.seeds import streams
from ftaug.experiment_file import import_components

RATE, MELS, FRAMES, FILE_RATE, FILE_SECONDS = 16_000, 128, 98, 44_100, 4
Way = Callable[[int], Tensor]
"""Return the batch of an epoch: (N, …), of as many values as FRAMES · MELS a sound."""


def written(folder: Path, suffix: str, count: int) -> list[str]:
    """Write sounds: chords in noise, stereo."""
    rng = np.random.default_rng(0)
    seconds = np.arange(FILE_SECONDS * FILE_RATE) / FILE_RATE
    files = []
    for number in range(count):
        tones = sum(np.sin(2 * np.pi * hertz * seconds) for hertz in rng.uniform(100, 4000, 5)) / 10
        sound = np.stack([tones, 0.8 * tones], axis=1) + 0.02 * rng.standard_normal((len(seconds), 2))
        files.append(str(folder / f"{number}.{suffix}"))
        soundfile.write(files[-1], sound, FILE_RATE)
    return files


def ftaug(clips: Callable[[int], Clip], count: int) -> Way:
    """Return ftaug's way, of clips by their numbers."""
    import_components("audio")
    ops: dict[str, dict[str, Any]] = {
        "gain": {},
        "noise": {"probability": 1.0},
        "time_mask": {"probability": 1.0},
        "frequency_mask": {"probability": 1.0},
    }
    augment = tuple(component_named("augmentation", name, "audio", settings) for name, settings in ops.items())
    form = preprocessing("ast", RATE, 1.0, MELS, 1)
    pipeline, log_mel = Pipeline(augment, form), LogMel({**form, "channels": 1})

    def batch(epoch: int) -> Tensor:
        rows = [pipeline.packed(clips(sample), streams(0, epoch, sample))[0] for sample in range(count)]
        spectrograms: Tensor = log_mel(torch.from_numpy(np.concatenate(rows)))
        return spectrograms

    return batch


def hugging_face(files: Sequence[str]) -> Way:
    """Return the way of the examples of transformers: whole files, then the feature extractor, then masks."""
    from transformers import ASTFeatureExtractor

    extractor = ASTFeatureExtractor(num_mel_bins=MELS, max_length=FRAMES)

    def batch(epoch: int) -> Tensor:
        rng, features = np.random.default_rng(epoch), []
        for file in files:
            sound, rate = soundfile.read(file, dtype="float32")
            wave = soxr.resample((sound[:, 0] + sound[:, 1]) / 2, rate, RATE, "HQ")
            start = int(rng.integers(len(wave) - RATE))
            wave = wave[start : start + RATE] * rng.uniform(0.5, 2)
            wave = wave + rng.standard_normal(RATE).astype(np.float32) * wave.std() * 10 ** (-rng.uniform(10, 40) / 20)
            values = extractor(wave, sampling_rate=RATE, return_tensors="np")["input_values"][0]
            first, band = int(rng.integers(88)), int(rng.integers(108))
            values[first : first + 10], values[:, band : band + 20] = 0, 0
            features.append(values)
        return torch.from_numpy(np.stack(features))

    return batch


SHARP: dict[str, Any] = {
    "lowpass_filter_width": 64,
    "rolloff": 0.9475937167399596,
    "resampling_method": "sinc_interp_kaiser",
    "beta": 14.769656459379492,
}
"""Settings of torchaudio for a filter as sharp as that of soxr, as its documentation has them for `kaiser_best`."""


def torchaudio(files: Sequence[str], **resampling: Any) -> Way:
    """Return the way of torchaudio at its best: only the crop, resampled at once, spectrograms of the whole batch.

    Read by soundfile, as torchaudio did until 2.8: its `load` needs FFmpeg since.
    """
    from torchaudio.functional import add_noise
    from torchaudio.transforms import FrequencyMasking, MelSpectrogram, Resample, TimeMasking

    resample = Resample(FILE_RATE, RATE, **resampling)
    mel = MelSpectrogram(RATE, n_fft=512, win_length=400, hop_length=160, n_mels=MELS, center=False, mel_scale="htk")
    masks = [TimeMasking(10, iid_masks=True), FrequencyMasking(20, iid_masks=True)]

    def batch(epoch: int) -> Tensor:
        rng, sounds = torch.Generator().manual_seed(epoch), []
        for file in files:
            total = soundfile.info(file).frames
            start = int(torch.randint(total - FILE_RATE, (), generator=rng))
            sound, _ = soundfile.read(file, FILE_RATE, start, dtype="float32", always_2d=True)
            sounds.append(torch.from_numpy(sound).mean(dim=1))
        waves = resample(torch.stack(sounds)) * (0.5 + 1.5 * torch.rand(len(files), 1, generator=rng))
        snr = 10 + 30 * torch.rand(len(files), generator=rng)
        waves = add_noise(waves, torch.randn(waves.shape, generator=rng), snr)
        features = mel(torch.nn.functional.pad(waves, (0, 112))).clamp_min(1e-7).log()
        for mask in masks:
            features = mask(features[:, None])[:, 0]
        return features

    return batch
