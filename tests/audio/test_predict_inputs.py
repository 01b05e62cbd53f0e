"""Sounds named on the command line."""

import numpy as np
import pytest
import soundfile
from sounds import RATE, augmentation, noise, write_classes

from ftaug.audio.clip import Clip, Recording
from ftaug.audio.io.open_sound import SUFFIXES
from ftaug.audio.io.sound_file import frames, span
from ftaug.audio.predict_inputs import inputs, parts
from ftaug.errors import MissingInput, one_of
from ftaug.interfaces.data import Input

TRAIN = augmentation("audio_folder", "dataset", path=".", channels="left")


def test_names_files_and_folders(tmp_path):
    folder = write_classes(tmp_path / "a", count=2)
    named = list(inputs([str(folder / "low"), str(folder / "high" / "1.wav")], TRAIN))
    assert [each.name.removeprefix(f"{folder}/") for each in named] == ["low/0.wav", "low/1.wav", "high/1.wav"]
    assert {each.read().channels for each in named} == {"left"}


def written(path, seconds, rate=RATE):
    soundfile.write(path, noise(seconds, rate), rate)
    return Input(str(path), lambda: Clip(str(path), channels="left"), "1")


@pytest.mark.parametrize(
    ("length", "seconds", "spans"),
    [
        (3.0, 1.0, [(0, 1), (1, 2), (2, 3)]),
        (3.0005, 1.0, [(0, 1), (1, 2), (2, 3)]),
        (2.5, 1.0, [(0, 1), (1, 2), (1.5, 2.5)]),
        (0.6, 0.25, [(0, 0.25), (0.25, 0.5), (0.35, 0.6)]),
        (0.5, 1.0, [(0, None)]),
    ],
)
def test_parts_cover_a_sound_to_its_end(tmp_path, length, seconds, spans):
    whole = written(tmp_path / "a.wav", length)
    clips = [part.read() for part in parts(iter([whole]), seconds)]
    assert [(round(clip.start, 9), clip.end and round(clip.end, 9)) for clip in clips] == spans
    assert all(len(frames(clip, *span(clip))) <= round(seconds * RATE) for clip in clips)
    assert {clip.channels for clip in clips} == {"left"}


def test_parts_are_named_exactly_however_late_they_are(tmp_path):
    clip = Clip(Recording(np.zeros(4 * 40_000, np.int16), 4))
    names = [part.name for part in parts(iter([Input("day.wav", lambda: clip)]), 0.25)]
    assert names[-1] == "day.wav[39999.75:40000]" and len({*names}) == len(names) == 160_000


def test_a_sound_that_cannot_be_read_stays_for_its_error(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"nothing")
    broken = Input("a.wav", lambda: Clip(str(tmp_path / "a.wav")))
    assert [*parts(iter([broken]), 1.0)] == [broken]


def test_says_what_is_missing(tmp_path):
    with pytest.raises(MissingInput) as caught:
        list(inputs([str(tmp_path), "none.wav"], TRAIN))
    assert [str(each) for each in caught.value.problems] == [
        f"{tmp_path}: holds no {one_of([suffix.decode() for suffix in SUFFIXES])}",
        "none.wav: no such file or folder",
    ]
