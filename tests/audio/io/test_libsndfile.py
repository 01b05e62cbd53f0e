"""Sounds in which libsndfile cannot seek: GSM, and FLAC that was written to a pipe."""

import sys

import numpy as np
import pytest
import soundfile
from sounds import noise, tone

from ftaug.audio.clip import Clip, Content
from ftaug.audio.io.libsndfile import library
from ftaug.audio.io.resample import length, window
from ftaug.audio.io.sound_file import format_of, frames
from ftaug.errors import Unavailable


def without_length(flac: bytes) -> bytes:
    """A FLAC file whose header says 0 samples, which means that their number is unknown."""
    content = bytearray(flac)
    content[21] &= 0xF0  # the upper 4 of 36 bits
    content[22:26] = bytes(4)
    return bytes(content)


@pytest.fixture
def piped(tmp_path):
    wave = np.stack([tone(440, 1.5), 0.5 * noise(1.5)], axis=1)
    soundfile.write(tmp_path / "a.flac", wave, 16_000)
    (tmp_path / "piped.flac").write_bytes(without_length((tmp_path / "a.flac").read_bytes()))
    return tmp_path


def test_flac_of_unknown_length_is_that_of_known_length(piped):
    whole, unknown = Clip(str(piped / "a.flac")), Clip(str(piped / "piped.flac"))
    assert format_of(unknown) == format_of(whole) == (16_000, 24_000, 2)
    for first, count in ((0, 10**9), (0, 24_000), (5000, 3000), (23_990, 100)):
        np.testing.assert_array_equal(frames(unknown, first, count), frames(whole, first, count))
    assert length(unknown, 8000) == 12_000
    np.testing.assert_array_equal(window(unknown, 8000, 3000, 9000).wave, window(whole, 8000, 3000, 9000).wave)
    content = (piped / "piped.flac").read_bytes()
    stored = Clip(Content("piped.flac", ("t.tar", 512), lambda: content))
    np.testing.assert_array_equal(frames(stored, 5000, 300), frames(whole, 5000, 300))


@pytest.mark.parametrize(("suffix", "subtype"), [("wav", "GSM610"), ("wav", "G721_32"), ("au", "G721_32")])
def test_formats_without_seeking_are_read(tmp_path, suffix, subtype):
    wave = tone(440, 1.0, 8000)
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, wave, 8000, subtype=subtype)
    whole = frames(Clip(str(path)), 0, 10**9)
    assert format_of(Clip(str(path))).frames == len(whole)
    assert 0 <= len(whole) - len(wave) <= 320, "blocks of these codecs are filled up"
    assert np.corrcoef(whole[400:7600], wave[400:7600])[0, 1] > 0.97
    np.testing.assert_array_equal(frames(Clip(str(path)), 3000, 500), whole[3000:3500])


@pytest.mark.parametrize("share", [0.2, 0.5, 0.95, 1.0])
def test_an_mp3_that_was_cut_is_as_long_as_what_is_left(tmp_path, share):
    wave = noise(4.0, 44_100)
    soundfile.write(tmp_path / "a.mp3", wave, 44_100)
    whole = frames(Clip(str(tmp_path / "a.mp3")), 0, 10**9)
    content = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "b.mp3").write_bytes(content[: round(share * len(content))])
    cut = Clip(str(tmp_path / "b.mp3"))
    count = format_of(cut).frames
    assert count == pytest.approx(share * len(whole), abs=0 if share == 1 else 8000)
    assert len(frames(cut, 0, 10**9)) == count
    np.testing.assert_array_equal(frames(cut, 0, count - 4000), whole[: count - 4000])
    assert window(cut, 44_100, 0, 5 * 44_100).end == count, "what is missing is padding"


def test_says_that_the_library_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(Unavailable, match=r"needs soundfile and soxr: pip install 'ftaug\[audio\]'"):
        library()
