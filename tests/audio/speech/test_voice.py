"""Random voices: from men to children, the deeper the longer their vocal tract."""

import numpy as np

from ftaug.audio.speech.voice import voice


def test_voices_are_of_all_pitches_and_sizes():
    voices = [voice(np.random.default_rng(seed)) for seed in range(200)]
    pitch, size = (np.array([getattr(each, name) for each in voices]) for name in ("pitch", "size"))
    assert 70 <= pitch.min() < 100 and 240 < pitch.max() <= 350
    assert 0.9 <= size.min() < 0.95 and 1.2 < size.max() <= 1.26
    assert np.corrcoef(np.log(pitch), size)[0, 1] > 0.7


def test_a_voice_is_that_of_its_random_numbers():
    first, again = (voice(np.random.default_rng(1)) for _ in range(2))
    assert first.pitch == again.pitch
    np.testing.assert_array_equal(first.habits["AA"], again.habits["AA"])
