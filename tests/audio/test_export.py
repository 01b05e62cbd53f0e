"""The exported model's windows are those of evaluation, for waveforms of any length."""

import numpy as np
import pytest
import torch
from sounds import RATE, augmentation, clip, noise, preprocessing
from torch import nn

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.export import OfWaveform, OverWindows, export_signature, inputs_of, reading, synthetic
from ftaug.audio.io.resample import length


@pytest.mark.parametrize("windows", [1, 2, 3])
@pytest.mark.parametrize("samples", [1, 700, 8000, 8001, 8003, 30_001])
def test_windows_are_those_of_evaluation(windows, samples):
    wave = noise(samples / RATE)
    form = {**preprocessing(0.5, windows=windows), "views": None}
    expected, _ = Pipeline((), form).packed(clip(wave), None)
    padded = np.pad(wave, (0, 100))
    packed = OfWaveform(nn.Identity(), 8000, windows).packed(torch.from_numpy(padded)[None], torch.tensor([samples]))
    np.testing.assert_array_equal(packed, expected)


def test_logits_are_averaged_before_the_outputs():
    model = OverWindows(nn.Identity(), 2)
    assert model(torch.tensor([[0.0, 2], [2, 4], [1, 1], [3, 3]])).tolist() == [[1, 3], [2, 2]]
    signature = export_signature(
        nn.Identity(), preprocessing(0.5, windows=2), lambda model: nn.Sequential(model, nn.ReLU())
    )
    assert isinstance(signature.module.model[0], OverWindows)


def test_named_inputs_are_waveform_and_length():
    packed, _ = Pipeline((), preprocessing(0.5)).packed(clip(noise(0.3)), None)
    named = inputs_of(torch.from_numpy(packed))
    assert named["length"].tolist() == [4800]
    np.testing.assert_array_equal(named["waveform"][0, :4800], noise(0.3))


def test_synthetic_sounds_fit_into_a_window():
    form = preprocessing(0.5)
    assert all(length(each, RATE) <= 8001 for each in synthetic(form))


@pytest.mark.parametrize("channels", ["mix", "left", "right", "first", "loudest"])
def test_the_script_reads_channels_as_training_does(tmp_path, channels):
    import soundfile

    from ftaug.audio.clip import Clip
    from ftaug.audio.io.resample import window

    form = preprocessing(0.5)
    source = reading(form, augmentation("audio_folder", "dataset", path=".", channels=channels)).source("waveform")
    sound = np.stack([noise(0.3, 44_100), noise(0.3, 44_100, seed=1, level=0.2)], axis=1)
    soundfile.write(tmp_path / "a.wav", sound, 44_100)
    space = {"metadata": {"preprocessing": {**form, "resampling": "HQ"}}}
    exec("\n".join(source.imports) + "\n" + source.code, space)
    ((_, inputs),) = space["read"](str(tmp_path / "a.wav"))
    ours = window(Clip(str(tmp_path / "a.wav"), channels=channels), RATE, 0, 4800).wave
    np.testing.assert_allclose(inputs["waveform"][0][:4800], ours, atol=1e-6)
