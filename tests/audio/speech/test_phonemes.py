"""The table of phonemes: complete, and of audible frequencies."""

import numpy as np
import pytest

from ftaug.audio.speech.phonemes import PHONEMES
from ftaug.audio.speech.synthesizer import RATE

SEGMENTS = [(name, segment) for name, segments in PHONEMES.items() for segment in segments]


@pytest.mark.parametrize(("name", "segment"), SEGMENTS)
def test_targets_are_in_order_and_below_half_the_rate(name, segment):
    if segment.formants is not None:
        first, second, third = segment.formants
        assert 200 < first < second < third < RATE / 2
    assert 0.01 <= segment.seconds <= 0.2
    assert segment.center < RATE / 2
    assert all(0 <= value <= 1 for value in (segment.voicing, segment.breath, segment.friction, segment.neighbors))


def test_voiceless_consonants_have_no_voice_and_voiced_ones_have():
    def voicing(name):
        return np.array([segment.voicing for segment in PHONEMES[name]])

    for pair in ("P B", "T D", "K G", "CH JH", "F V", "TH DH", "S Z", "SH ZH"):
        voiceless, voiced = map(voicing, pair.split())
        assert not voiceless.any() and voiced.any()
