"""Mel filters against those of transformers."""

import numpy as np
import pytest
from transformers.audio_utils import mel_filter_bank

from ftaug.audio import mel_filters


@pytest.mark.parametrize(("mels", "fft", "rate"), [(80, 512, 16_000), (40, 256, 8000), (128, 2048, 44_100)])
def test_kaldi_triangles(mels, fft, rate):
    expected = mel_filter_bank(
        fft // 2 + 1, mels, 20, rate / 2, rate, norm=None, mel_scale="kaldi", triangularize_in_mel_space=True
    )
    np.testing.assert_allclose(mel_filters.kaldi(mels, fft, rate)[:-1], expected[:-1], atol=1e-9)


@pytest.mark.parametrize(
    ("mels", "fft", "rate", "low", "high"), [(80, 400, 16_000, 0, 8000), (64, 1024, 32_000, 50, 14_000)]
)
def test_slaney_triangles_of_equal_area(mels, fft, rate, low, high):
    expected = mel_filter_bank(fft // 2 + 1, mels, low, high, rate, norm="slaney", mel_scale="slaney")
    np.testing.assert_allclose(mel_filters.slaney(mels, fft, rate, low, high), expected, atol=1e-12)
