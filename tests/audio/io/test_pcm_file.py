"""WAV files of 16-bit integers: the bits of libsndfile, and everything else is left to it."""

import struct

import numpy as np
import pytest
import soundfile
from sounds import noise

from ftaug.audio.clip import Clip
from ftaug.audio.io import pcm_file
from ftaug.audio.io.pcm_file import opened
from ftaug.audio.io.sound_file import format_of, frames

RATE = 11_025


def write(path, channels=2, seconds=0.2, **settings):
    wave = np.stack([noise(seconds, RATE, seed=seed) for seed in range(channels)], axis=1)
    soundfile.write(path, wave, RATE, **{"subtype": "PCM_16", **settings})
    return str(path)


def with_chunks(path):
    """Add a chunk of odd length before the samples, and one behind them."""
    content = path.read_bytes()
    place = content.index(b"data")
    odd = b"LIST" + struct.pack("<I", 5) + b"INFO!\0"
    path.write_bytes(content[:place] + odd + content[place:] + b"id3 " + struct.pack("<I", 4) + b"\xff" * 4)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("form", ["WAV", "WAVEX", "chunks"])
def test_parts_are_those_of_libsndfile(tmp_path, channels, form):
    path = write(tmp_path / "a.wav", channels, format="WAVEX" if form == "WAVEX" else "WAV")
    if form == "chunks":
        with_chunks(tmp_path / "a.wav")
    file, (expected, rate) = opened(path), soundfile.read(path, dtype="int16", always_2d=True)
    assert (file.samplerate, file.frames, file.channels) == (rate, *expected.shape) == (RATE, 2205, channels)
    for first, count in ((0, 10**9), (0, 1), (700, 600), (2200, 100), (2205, 5), (9999, 5)):
        file.seek(first)
        read = file.read(count, dtype="int16", always_2d=True)
        np.testing.assert_array_equal(read, expected[first : first + count])
    file.seek(100)
    np.testing.assert_array_equal(
        [file.read(2, "int16", True), file.read(2, "int16", True)], expected[100:104].reshape(2, 2, -1)
    )


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "FLOAT", "ULAW", "IMA_ADPCM"])
def test_other_formats_are_left_to_libsndfile(tmp_path, subtype):
    path = write(tmp_path / "a.wav", subtype=subtype)
    assert opened(path) is None
    assert len(frames(Clip(path), 0, 500)) == 500


@pytest.mark.parametrize("size", [0, 3, 12, 19, 30, 43, 44, 500])
def test_a_file_that_is_cut_short_is_left_to_libsndfile(tmp_path, size):
    path = write(tmp_path / "a.wav")
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:size])
    assert opened(path) is None


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, b"RIFX"), (8, b"AVI "), (22, b"\0\0"), (24, b"\0\0\0\0"), (27, b"\xff"), (32, b"\3"), (40, b"\0\0\0\0")],
)
def test_a_header_that_is_not_plain_is_left_to_libsndfile(tmp_path, place, value):
    path = write(tmp_path / "a.wav")
    content = bytearray((tmp_path / "a.wav").read_bytes())
    content[place : place + len(value)] = value
    (tmp_path / "a.wav").write_bytes(content)
    assert opened(path) is None


def test_a_file_that_has_changed_is_looked_at_again(tmp_path):
    path = write(tmp_path / "a.wav")
    assert opened(path).frames == 2205
    write(tmp_path / "a.wav", seconds=0.1)
    assert opened(path).frames == 1102


def test_sounds_are_read_by_it(tmp_path, monkeypatch):
    path = write(tmp_path / "a.WAV", 1, seconds=0.1, format="WAV")
    read = []
    monkeypatch.setattr(pcm_file.PcmFile, "read", lambda self, *_, **__: read.append(self) or np.ones((3, 1), np.int16))
    assert format_of(Clip(path)) == (RATE, 1102, 1)
    np.testing.assert_array_equal(frames(Clip(path), 0, 3), np.full(3, 1 / 32_768))
    assert len(read) == 1
