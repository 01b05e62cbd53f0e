"""Sounds that are decoded as a whole: the interface of an open file, and what is kept."""

import os

import numpy as np
import pytest

from ftaug.audio.clip import Content
from ftaug.audio.io.whole_sound import Decoded, whole_sound


@pytest.fixture
def decode():
    """A decoder of int8 samples at 8 kHz that lists what it decoded."""

    def decoder(source):
        with source if hasattr(source, "read") else open(source, "rb") as file:  # noqa: PTH123 - as libsndfile opens
            content = file.read()
        decoder.contents.append(content)
        return Decoded(np.frombuffer(content, np.int8)[:, None].astype(np.float32), 8000)

    decoder.contents = []
    return decoder


def test_is_read_as_an_open_file(tmp_path, decode):
    (tmp_path / "a").write_bytes(bytes(range(10)))
    sound = whole_sound(str(tmp_path / "a"), decode)
    assert (sound.frames, sound.channels, sound.samplerate) == (10, 1, 8000)
    assert sound.read(3, dtype="float32", always_2d=True).tolist() == [[0], [1], [2]]
    sound.seek(8)
    assert sound.read(9, dtype="float32", always_2d=True).tolist() == [[8], [9]]
    assert len(sound.read(9, dtype="float32", always_2d=True)) == 0


def test_is_decoded_once_until_the_file_changes(tmp_path, decode):
    path = tmp_path / "a"
    path.write_bytes(b"\1\2")
    for _ in range(3):
        whole_sound(str(path), decode)
    assert len(decode.contents) == 1
    path.write_bytes(b"\3\4")
    os.utime(path, ns=(1, 1))
    assert whole_sound(str(path), decode).wave[0, 0] == 3
    assert decode.contents == [b"\1\2", b"\3\4"]


def test_a_part_of_an_archive_is_told_by_its_place(decode):
    contents = [Content("a", place, lambda: b"\5") for place in (("t.tar", 512), ("t.tar", 512), ("t.tar", 1024))]
    for content in contents:
        assert whole_sound(content, decode).wave.tolist() == [[5]]
    assert len(decode.contents) == 2
