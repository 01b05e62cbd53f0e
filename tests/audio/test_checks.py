"""Cautions about sounds that the model will not hear as a person does."""

import numpy as np
import pytest
from sounds import clip, noise, preprocessing, tone

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.checks import cautions
from ftaug.interfaces.data import Task


class Sounds:
    def __init__(self, *clips, labels=None):
        self.clips = clips
        self.targets = np.zeros(len(clips), np.int64) if labels is None else np.array(labels)
        self.task = Task(("bird", "car"))

    def read(self, index):
        return self.clips[index]

    def name(self, index):
        return f"{index}.wav"


LOW = "have a lower sampling rate than the backbone's 16,000 Hz, such as 0.wav: nothing in it is above 4,000 Hz"
HIGH = "have more than half of their energy above 8,000 Hz, such as 0.wav, which the network does not hear at its"
SHORT = "have less than half of the 1 s that the network sees, such as 0.2 s"
OPPOSITE = "have channels that are opposite, such as 0.wav: their mean is silent; set channels: first"


@pytest.mark.parametrize(
    ("sound", "said"),
    [
        (clip(tone(rate=8000), 8000), LOW),
        (clip(tone(21_000, rate=96_000), 96_000), HIGH),
        (clip(tone(seconds=0.2)), SHORT),
        (clip(np.stack([tone(), -tone()], axis=1)), OPPOSITE),
    ],
)
def test_says_what_is_lost(sound, said):
    (caution,) = cautions(Sounds(*[sound] * 4), np.arange(4), None, Pipeline((), preprocessing(1.0)))
    assert f"4 of 4 sounds that were checked {said}" in caution


def test_names_only_settings_that_the_backbone_has():
    ast = {**preprocessing(1.0), "normalized": {}}
    small = {**preprocessing(1.0), "channels": 1}
    on_waveforms = {**preprocessing(1.0), "waveform": {}}
    for sound, form, hint in (
        (clip(tone(rate=8000), 8000), small, None),
        (clip(tone(rate=8000), 8000), on_waveforms, None),
        (clip(tone(seconds=0.2)), ast, None),
        (clip(tone(seconds=0.2)), on_waveforms, "a lower `seconds` of the backbone is quicker"),
    ):
        (caution,) = cautions(Sounds(*[sound] * 4), np.arange(4), None, Pipeline((), form))
        assert caution.endswith(hint or ("4,000 Hz" if sound.source.rate == 8000 else "they are padded"))


def test_names_a_class_of_which_files_have_a_low_rate():
    low, full = clip(tone(rate=8000), 8000), clip(tone())
    said = (
        "4 of 4 checked sounds of class 'car' have a lower sampling rate than the backbone's, and 1 of 4 of the "
        "other classes: the network can tell the class by the high frequencies that are missing; set the backbone's "
        "rate: 8000"
    )
    for clips, labels, cautioned in (
        ([full, full, full, low, low, low, low, low], [0] * 4 + [1] * 4, True),
        ([full, full, low, low, low, low, low, low], [0] * 4 + [1] * 4, False),  # half of the other class, too
        ([full, full, full, full, low, low], [0] * 4 + [1] * 2, False),  # too few to say
        ([low] * 8, [0] * 4 + [1] * 4, False),
    ):
        sounds = Sounds(*clips, labels=labels)
        found = cautions(sounds, np.arange(len(clips)), None, Pipeline((), preprocessing(1.0)))
        assert (said in found) is cautioned
        assert any("can tell the class" in caution for caution in found) is cautioned


def test_says_nothing_of_good_sounds_nor_of_unreadable_ones():
    sounds = Sounds(clip(noise()), clip(tone(seconds=3.0)), clip(np.zeros(0, np.float32)))
    assert cautions(sounds, np.arange(2), None, Pipeline((), preprocessing(1.0))) == []
