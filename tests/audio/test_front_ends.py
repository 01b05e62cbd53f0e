"""Front ends against the extractors of transformers and torchaudio, where that is installed."""

import numpy as np
import pytest
import torch
from sounds import noise, preprocessing, tone
from transformers import ASTFeatureExtractor, WhisperFeatureExtractor
from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

from ftaug.audio.front_ends import FRONT_ENDS, dft, front_end
from ftaug.audio.log_mel import LogMel
from ftaug.audio.packed import pack

WAVE = noise(2.0) + tone(440, 2.0, level=0.3) + np.float32(0.01)


def computed(name, mels, rate=16_000):
    """The features of a front end: (frames, mels)."""
    form = {**preprocessing(len(WAVE) / rate, mels=mels, front_end=name, rate=rate), "channels": 1}
    return LogMel(form)(torch.from_numpy(pack(WAVE, 0, len(WAVE)))[None])[0, 0].T.numpy()


def unnormalized(name, mels, rate=16_000):
    form = front_end(name, rate, mels)
    return computed(name, mels, rate) * form.std + form.mean


def test_ast():
    ours = computed("ast", 128)
    extractor = ASTFeatureExtractor(max_length=len(ours))
    expected = extractor(WAVE, sampling_rate=16_000, return_tensors="np")["input_values"][0]
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_whisper():
    extractor = WhisperFeatureExtractor(feature_size=80, chunk_length=2)
    expected = extractor(WAVE, sampling_rate=16_000, return_tensors="np")["input_features"][0].T
    np.testing.assert_allclose(computed("whisper", 80), expected, atol=1e-4)


@pytest.mark.parametrize(("rate", "frame", "high"), [(16_000, 512, 8000), (32_000, 1024, 14_000)])
def test_slaney(rate, frame, high):
    filters = mel_filter_bank(frame // 2 + 1, 64, 50, high, rate, norm="slaney", mel_scale="slaney")
    window = window_function(frame, "hann")
    expected = spectrogram(
        WAVE.astype(np.float64),
        window,
        frame,
        rate // 100,
        power=2.0,
        mel_filters=filters,
        log_mel="dB",
        mel_floor=1e-10,
    ).T
    ours = unnormalized("slaney", 64, rate)
    np.testing.assert_allclose(ours, expected[: len(ours)], atol=5e-4)


@pytest.mark.parametrize(("mels", "rate"), [(80, 16_000), (64, 8000), (80, 44_100)])
def test_kaldi_equals_its_definition(mels, rate):
    """Each frame by itself, in float64, as Kaldi's feature-window.cc goes about it."""
    form = front_end("kaldi", rate, mels)
    window = np.hanning(form.frame) ** 0.85
    frames = []
    for start in range(0, len(WAVE) - form.frame + 1, form.hop):
        frame = WAVE[start : start + form.frame].astype(np.float64)
        frame -= frame.mean()
        frame[1:] -= 0.97 * frame[:-1]
        frame[0] -= 0.97 * frame[0]
        energies = np.abs(np.fft.rfft(frame * window, 2 * (len(form.filters) - 1))) ** 2
        frames.append(np.log(np.maximum(energies @ form.filters, np.finfo(np.float32).eps)))
    np.testing.assert_allclose(unnormalized("kaldi", mels, rate), frames, atol=5e-4)


@pytest.mark.parametrize(("mels", "rate"), [(80, 16_000), (64, 8000), (80, 44_100)])
def test_kaldi_equals_torchaudio(mels, rate):
    kaldi = pytest.importorskip("torchaudio.compliance.kaldi")
    settings = {"sample_frequency": rate, "num_mel_bins": mels, "dither": 0.0, "energy_floor": 0.0}
    expected = kaldi.fbank(torch.from_numpy(WAVE)[None], **settings).numpy()
    np.testing.assert_allclose(unnormalized("kaldi", mels, rate), expected, atol=5e-4)


def test_the_matrix_is_a_fourier_transform():
    wave = np.random.default_rng(0).standard_normal(100)
    real, imaginary = np.split(wave @ dft(100, 128), 2)
    np.testing.assert_allclose(real + 1j * imaginary, np.fft.rfft(wave, 128), atol=1e-12)


@pytest.mark.parametrize("name", FRONT_ENDS)
@pytest.mark.parametrize("samples", [16_000, 16_001, 399, 700])
def test_frames_are_as_many_as_their_centers(name, samples):
    form = front_end(name, 16_000, 40)
    assert len(form.centers(samples)) == form.frames(samples)
    assert np.diff(form.centers(16_000)).tolist() == [160] * (form.frames(16_000) - 1)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_a_tone_is_loudest_in_the_band_with_its_frequency(name):
    centers = front_end(name, 16_000, 64).band_centers(16_000)
    assert (np.diff(centers) >= 0).all()
    for hertz in (500, 1500, 4000):
        form = {**preprocessing(0.5, mels=64, front_end=name), "channels": 1}
        values = LogMel(form)(torch.from_numpy(pack(tone(hertz, 0.5), 0, 8000))[None])[0, 0].mean(dim=1)
        assert abs(int(values.argmax()) - int(np.abs(centers - hertz).argmin())) <= 1
