"""Sounds, augmentations and preprocessing for the tests."""

from typing import Annotated

import numpy as np
import soundfile
from pydantic import TypeAdapter

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.backbones.spectrogram import preprocessing as of_spectrogram
from ftaug.audio.clip import Clip, Recording
from ftaug.config.registry import REGISTRIES, Component
from ftaug.config.schema import OfKind
from ftaug.engine.loading.seeds import streams as engine_streams
from ftaug.experiment_file import import_components

import_components("audio")

RATE = 16_000
OPS = list(REGISTRIES["augmentation", "audio"])


def augmentation(name: str, kind: str = "augmentation", **settings) -> Component:
    """The component that `name: {settings}` in an experiment file is."""
    adapter = TypeAdapter(Annotated[Component, OfKind(kind)])
    return adapter.validate_python({name: settings}, context={"folder": "", "modality": "audio"})


def streams(epoch: int = 0, sample: int = 0):
    return engine_streams(0, epoch, sample)


def preprocessing(seconds: float = 1.0, windows: int = 1, mels: int = 32, front_end: str = "kaldi", rate: int = RATE):
    return of_spectrogram(front_end, rate, seconds, mels, windows)


def tone(hertz: float = 440.0, seconds: float = 1.0, rate: int = RATE, level: float = 0.5) -> np.ndarray:
    """A sine: float32 (samples,)."""
    time = np.arange(round(seconds * rate)) / rate
    return np.asarray(level * np.sin(2 * np.pi * hertz * time), np.float32)


def noise(seconds: float = 1.0, rate: int = RATE, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return np.asarray(level * np.random.default_rng(seed).standard_normal(round(seconds * rate)), np.float32)


def clip(wave: np.ndarray, rate: int = RATE, **settings) -> Clip:
    return Clip(Recording(wave, rate), **settings)


def augmented(wave: np.ndarray, op: Component, epoch: int = 0, seconds: float | None = None) -> np.ndarray:
    """The waveform after an op, as long as it was unless `seconds` says how long the window is."""
    form = preprocessing(len(wave) / RATE if seconds is None else seconds)
    return Pipeline((op,), form).drawn(clip(wave, silent="keep"), streams(epoch))[0].wave


def loudest_frequency(wave: np.ndarray, rate: int = RATE) -> float:
    """The frequency of the largest value of the spectrum, in Hz."""
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    return float(spectrum.argmax() * rate / len(wave))


def power(wave: np.ndarray) -> float:
    return float(np.square(wave, dtype=np.float64).mean())


def write_classes(folder, seconds=0.3, count=6, rate=8000):
    """A folder of tones in noise: a class each for low, middle and high."""
    for label, hertz in {"high": 2000, "low": 300, "middle": 800}.items():
        (folder / label).mkdir(parents=True)
        for number in range(count):
            wave = tone(hertz * (1 + 0.02 * number), seconds, rate) + noise(seconds, rate, number, 0.02)
            soundfile.write(folder / label / f"{number}.wav", wave, rate)
    return folder
