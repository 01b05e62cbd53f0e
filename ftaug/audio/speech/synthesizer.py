"""A formant synthesizer: glottal pulses and noise through resonances that move from phoneme to phoneme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ftaug.audio.speech.phonemes import PAUSE, PHONEMES, Segment
from ftaug.audio.speech.voice import HIGHER, Voice

RATE = 16_000
STEP = 80  # samples between frames of parameters
FFT = 512
FORMANT_SMOOTHING, VOICE_SMOOTHING, NOISE_SMOOTHING = 15, 5, 3  # frames
NASAL_WIDENING, NASAL_LOSS = 2.0, 0.4  # factors of bandwidths and of the amplitude of formants above the first


class Tracks(NamedTuple):
    """Parameters of the synthesizer, every 5 ms."""

    formants: np.ndarray  # Hz (frames, FORMANTS)
    voicing: np.ndarray  # (frames,), as all below
    breath: np.ndarray
    friction: np.ndarray
    center: np.ndarray  # Hz
    width: np.ndarray  # Hz
    nasal: np.ndarray  # 0 to 1


def spoken_word(phonemes: Sequence[str], voice: Voice, rng: np.random.Generator) -> np.ndarray:
    """Synthesize a word: float64 (samples,) at 16 kHz, its loudest sample 1.

    Shapes follow Klatt (1980, doi:10.1121/1.383940), with one cascade of formants for voice and breath, and noise of
    consonants beside it; the filters of neighboring frames are crossfaded.
    """
    tracks = _tracks(phonemes, voice, rng)
    samples = len(tracks.voicing) * STEP
    time = np.arange(samples) / STEP
    glottis, noise = _sources(tracks, voice, time, rng)
    hiss = rng.standard_normal(samples) * np.interp(time, np.arange(len(tracks.friction)), tracks.friction)
    spectra = _frames(glottis + noise) * _resonances(tracks, voice)
    spectra += _frames(hiss * voice.consonants) * _constrictions(tracks, voice)
    wave = _overlap_add(np.fft.irfft(spectra, FFT))[:samples]
    return np.asarray(wave / np.abs(wave).max())


def _tracks(phonemes: Sequence[str], voice: Voice, rng: np.random.Generator) -> Tracks:
    """Lay the targets of phonemes one after another and smooth them."""
    segments = [(name, segment) for name in (PAUSE, *phonemes, PAUSE) for segment in PHONEMES[name]]
    targets = _coarticulated(segments, voice)
    seconds = (
        np.array([segment.seconds for _, segment in segments]) * voice.pace * rng.uniform(0.85, 1.2, len(segments))
    )
    seconds[-2] *= 1.3  # before a pause
    counts = np.maximum(1, np.round(seconds * RATE / STEP)).astype(int)
    place = np.repeat(np.arange(len(segments)), counts)
    formants = np.exp(_smoothed(np.log(targets[place]), FORMANT_SMOOTHING))
    higher = np.broadcast_to(np.array(HIGHER) * voice.size, (len(place), len(HIGHER)))

    def track(name: str, smoothing: int = 1) -> np.ndarray:
        values = np.array([[float(getattr(segment, name))] for _, segment in segments])
        return _smoothed(values[place], smoothing)[:, 0]

    return Tracks(
        np.concatenate([formants, higher], axis=1),
        track("voicing", VOICE_SMOOTHING),
        track("breath", NOISE_SMOOTHING),
        track("friction", NOISE_SMOOTHING),
        track("center"),
        track("width"),
        track("nasal", NOISE_SMOOTHING),
    )


def _coarticulated(segments: Sequence[tuple[str, Segment]], voice: Voice) -> np.ndarray:
    """Return the first three formants of segments in Hz, each drawn towards those of its neighbors."""
    formants = np.full((len(segments), 3), np.nan)
    for index, (name, segment) in enumerate(segments):
        if segment.formants is not None:
            formants[index] = np.log(np.array(segment.formants) * voice.habits[name] * voice.size)
    known = np.flatnonzero(~np.isnan(formants[:, 0]))
    places = np.arange(len(segments))
    for column in formants.T:
        column[:] = np.interp(places, known, column[known])
    padded = np.concatenate([formants[:1], formants, formants[-1:]])
    share = np.array([segment.neighbors for _, segment in segments])[:, None]
    return np.asarray(np.exp((1 - share) * formants + share * (padded[:-2] + padded[2:]) / 2))


def _smoothed(values: np.ndarray, frames: int) -> np.ndarray:
    """Average along the first axis with a Hann window; the ends are repeated."""
    window = np.hanning(frames + 2)[1:-1]
    padded = np.pad(values, ((frames // 2, frames // 2), (0, 0)), mode="edge")
    columns = [np.convolve(column, window / window.sum(), "valid") for column in padded.T]
    return np.stack(columns, axis=1)


def _sources(tracks: Tracks, voice: Voice, time: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the pulses of the glottis and its noise, sample by sample; `time` is in frames."""
    frames = np.arange(len(tracks.voicing))
    course = frames / len(frames)
    semitones = voice.accent * np.sin(np.pi * course) - voice.fall * course
    wobble = _smoothed(rng.standard_normal((len(frames), 1)), 3)[:, 0] * voice.roughness * 2
    pitch = np.interp(time, frames, voice.pitch * 2 ** (semitones / 12) * (1 + wobble))
    phase = (np.cumsum(pitch) / RATE + rng.uniform()) % 1
    opened = phase < voice.opening
    # The derivative of a flow phase² (opening - phase), as in KLGLOTT88
    pulses = np.where(opened, phase * (2 * voice.opening - 3 * phase), 0) / voice.opening**2
    voicing, breath = (np.interp(time, frames, track) for track in (tracks.voicing, tracks.breath))
    turbulence = rng.standard_normal(len(time)) * np.where(opened, 1, 0.4)
    return pulses * voicing, turbulence * (0.25 * breath + voice.breath * voicing)


def _frames(wave: np.ndarray) -> np.ndarray:
    """Return the spectra of half-overlapping frames, one around each frame of parameters: (frames, FFT / 2 + 1)."""
    padded = np.pad(wave, (STEP // 2, STEP + STEP // 2))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * STEP)[::STEP]
    return np.fft.rfft(frames[: len(wave) // STEP] * np.hanning(2 * STEP + 1)[:-1], FFT)


def _overlap_add(frames: np.ndarray) -> np.ndarray:
    """Sum frames, each so many samples after the one before it; what was padded before them is cut."""
    count, length = frames.shape
    total = np.zeros((count + length // STEP + 1, STEP))
    pieces = np.pad(frames, ((0, 0), (0, -length % STEP))).reshape(count, -1, STEP)
    for place in range(pieces.shape[1]):
        total[place : place + count] += pieces[:, place]
    return total.ravel()[STEP // 2 :]


def _resonances(tracks: Tracks, voice: Voice) -> np.ndarray:
    """Return the frequency response of the vocal tract in each frame: complex (frames, FFT / 2 + 1)."""
    frequencies = np.fft.rfftfreq(FFT, 1 / RATE)
    delay = np.exp(-2j * np.pi * frequencies / RATE).astype(np.complex64)
    widening = 1 + (NASAL_WIDENING - 1) * tracks.nasal
    response = np.ones((len(tracks.nasal), len(frequencies)), np.complex64)
    for formant, bandwidth in zip(tracks.formants.T, voice.bandwidths, strict=True):
        radius = np.exp(-np.pi * bandwidth * widening / RATE)
        first = (2 * radius * np.cos(2 * np.pi * np.minimum(formant, 0.47 * RATE) / RATE))[:, None].astype(np.float32)
        second = -np.square(radius)[:, None].astype(np.float32)
        response *= (1 - first - second) / (1 - delay * (first + second * delay))
    octaves = np.log2(np.maximum(frequencies, 500) / 500)
    loss = 1 - (1 - NASAL_LOSS) * tracks.nasal[:, None] * (frequencies > 600)
    return np.asarray(response * 10 ** (-voice.tilt * octaves / 20) * loss)


def _constrictions(tracks: Tracks, voice: Voice) -> np.ndarray:
    """Return the spectrum of consonants' noise in each frame, a bell in Hz: (frames, FFT / 2 + 1)."""
    frequencies = np.fft.rfftfreq(FFT, 1 / RATE)
    scaled = (frequencies - tracks.center[:, None] * voice.size**0.5) / tracks.width[:, None]
    return np.asarray(np.exp(-np.square(scaled) / 2))
