"""Normalized waveforms: those of the feature extractor, whatever stands where padding is."""

import numpy as np
import pytest
import torch
from sounds import noise

from ftaug.audio.packed import pack
from ftaug.audio.waveform import Waveform


@pytest.mark.parametrize("normalize", [False, True])
def test_is_what_the_feature_extractor_gives(normalize):
    transformers = pytest.importorskip("transformers")
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=normalize, return_attention_mask=True)
    waves = [noise(0.1) + 0.3, noise(0.04, seed=1)]
    expected = extractor(waves, sampling_rate=16_000, padding=True, return_tensors="pt")
    rows = [pack(np.pad(wave, (0, 1600 - len(wave)), constant_values=9), 0, len(wave)) for wave in waves]
    result = Waveform({"waveform": {"normalize": normalize, "fewest": 400}})(torch.from_numpy(np.stack(rows)))
    assert result[:, 0].tolist() == expected.attention_mask.sum(dim=1).tolist() == [1600, 640]
    torch.testing.assert_close(result[:, 1:], expected.input_values, atol=1e-5, rtol=0)


def test_short_and_shifted_sounds():
    packed = torch.from_numpy(np.stack([pack(noise(0.1), 500, 700), pack(noise(0.1), 0, 3), pack(noise(0.1), 0, 0)]))
    result = Waveform({"waveform": {"normalize": True, "fewest": 400}})(packed)
    assert result[:, 0].tolist() == [700, 400, 400]
    assert (result[0, 1:501] == 0).all() and (result[0, 701:] == 0).all() and (result[1, 4:] == 0).all()
    torch.testing.assert_close(result[0, 501:701].var(correction=0), torch.tensor(1.0), atol=1e-4, rtol=0)
    assert (result[2, 1:] == 0).all()
