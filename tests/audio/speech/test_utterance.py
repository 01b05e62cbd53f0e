"""Synthetic recordings: a function of their numbers, in silence, noise and rooms of random extent."""

import numpy as np

from ftaug.audio.speech.synthesizer import RATE
from ftaug.audio.speech.utterance import LEVEL, utterance

SIX = ("S", "IH", "K", "S")


def test_is_a_function_of_speaker_and_word():
    first = utterance(SIX, 3, 6)
    utterance.cache_clear()
    np.testing.assert_array_equal(first, utterance(SIX, 3, 6))
    assert first.dtype == np.int16 and 0.3 < len(first) / RATE < 1.3
    assert not np.array_equal(first[:2000], utterance(SIX, 4, 6)[:2000])
    assert not np.array_equal(first[:2000], utterance(SIX, 3, 7)[:2000])


def test_levels_and_noise_differ():
    sounds = [utterance(SIX, speaker, 6) / 2**15 for speaker in range(12)]
    peaks = np.array([20 * np.log10(np.abs(wave).max()) for wave in sounds])
    assert LEVEL[0] - 0.1 < peaks.min() < peaks.max() - 6 and peaks.max() < LEVEL[1] + 0.1
    before = np.array([20 * np.log10(wave[:300].std() / wave.std()) for wave in sounds])
    assert before.max() < -5 and np.ptp(before) > 10
