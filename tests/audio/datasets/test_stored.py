"""Sounds in archives: parts of their content, silence, and what is wrong with them."""

import numpy as np
import pytest
import soundfile
from archives import write_tar
from sounds import RATE, noise, tone, write_classes

from ftaug.audio.datasets.folder import audio_folder
from ftaug.audio.datasets.shards import audio_shards
from ftaug.audio.io.sound_file import format_of, frames
from ftaug.errors import BadData


@pytest.fixture
def folder(tmp_path):
    write_classes(tmp_path / "a", count=2)
    soundfile.write(tmp_path / "a" / "low" / "0.wav", np.zeros((500, 2)), RATE)
    soundfile.write(tmp_path / "a" / "low" / "2.flac", np.stack([noise(), tone()], axis=1), RATE)
    soundfile.write(tmp_path / "a" / "low" / "3.mp3", noise(), RATE)
    return tmp_path / "a"


def packed(folder):
    samples = audio_folder("train", path=folder)
    members = {samples.key(index): samples.content(index) for index in range(len(samples))}
    return write_tar(folder.parent / "a.tar", members)


@pytest.mark.parametrize("channels", ["mix", "right", "loudest"])
def test_they_are_read_as_files_are(folder, channels):
    of_files = audio_folder("train", path=folder, channels=channels)
    stored = audio_shards("train", path=packed(folder), channels=channels)
    assert stored.fingerprint == of_files.fingerprint
    for index in range(len(stored)):
        if channels != "right" or format_of(stored.read(index)).channels < 3:
            clips = [samples.read(index) for samples in (stored, of_files)]
            assert format_of(clips[0]) == format_of(clips[1])
            for first, count in ((0, 100), (333, 200), (300, 10**6)):
                np.testing.assert_array_equal(*(frames(clip, first, count) for clip in clips))


def test_silent_ones_are_left_out(folder):
    of_files = audio_folder("train", path=folder, silent="skip")
    stored = audio_shards("train", path=packed(folder), silent="skip")
    assert [stored.key(i) for i in range(len(stored))] == [of_files.key(i) for i in range(len(of_files))]
    assert stored.fingerprint == of_files.fingerprint
    assert stored.notes[-1] == "1 silent sound left out"
    np.testing.assert_array_equal(frames(stored.read(2), 0, 9), frames(of_files.read(2), 0, 9))


def test_says_what_is_wrong(folder):
    (folder / "low" / "0.wav").write_bytes(b"no sound")
    (folder / "low" / "1.wav").write_bytes(b"")
    stored = audio_shards("train", path=packed(folder))
    for name, said in {"low/0.wav": "is not a sound that can be decoded", "low/1.wav": "the file is empty"}.items():
        index = next(i for i in range(len(stored)) if stored.key(i) == name)
        with pytest.raises(BadData, match=said):
            format_of(stored.read(index))


def test_a_changed_archive_is_an_error(folder):
    path = packed(folder)
    clip = audio_shards("train", path=path).read(0)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(BadData, match="its shard has changed since the start"):
        frames(clip, 0, 10)
