"""Reading of sound files: parts are slices of the whole, channels are chosen, and bad files are named."""

import struct
import sys

import numpy as np
import pytest
import soundfile
from sounds import clip, noise, tone

from ftaug.audio.clip import Clip
from ftaug.audio.io.sound_file import format_of, frames, is_canceled, loudest, span
from ftaug.errors import BadData, MissingInput, Unavailable

FORMATS = [
    ("wav", "PCM_16"),
    ("wav", "FLOAT"),
    ("wav", "ULAW"),
    ("flac", "PCM_16"),
    ("flac", "PCM_24"),
    ("ogg", "VORBIS"),
    ("mp3", None),
]


@pytest.fixture
def stereo():
    return np.stack([noise(1.5, 44_100), 0.5 * noise(1.5, 44_100, seed=1)], axis=1)


@pytest.mark.parametrize(("suffix", "subtype"), [*FORMATS, ("opus", "OPUS")], ids=str)
def test_a_part_is_the_slice_of_the_whole(tmp_path, stereo, suffix, subtype):
    path = str(tmp_path / f"a.{suffix}")
    rate = 48_000 if suffix == "opus" else 44_100
    soundfile.write(path, stereo, rate, subtype=subtype, format="OGG" if suffix == "opus" else None)
    whole = frames(Clip(path), 0, 10**9)
    assert format_of(Clip(path))[::2] == (rate, 2)
    assert len(whole) == format_of(Clip(path)).frames
    for first in (0, 1, 12_345, len(whole) - 100):
        np.testing.assert_array_equal(frames(Clip(path), first, 3000), whole[first : first + 3000])


def test_integers_are_scaled_to_one(tmp_path):
    wave = np.array([0, 1, -32_768, 32_767, 100], np.int16)
    soundfile.write(tmp_path / "a.wav", wave, 8000)
    expected = wave / np.float32(32_768)
    np.testing.assert_array_equal(frames(Clip(str(tmp_path / "a.wav")), 0, 9), expected)
    np.testing.assert_array_equal(frames(clip(wave), 0, 9), expected)


@pytest.mark.parametrize(("suffix", "subtype"), FORMATS, ids=str)
def test_samples_are_the_bits_of_libsndfile(tmp_path, stereo, suffix, subtype):
    path = str(tmp_path / f"a.{suffix}")
    soundfile.write(path, stereo, 44_100, subtype=subtype)
    expected = soundfile.read(path, dtype="float32")[0][:, 1]
    np.testing.assert_array_equal(frames(Clip(path, channels="right"), 0, 10**9), expected)


def test_channels_are_mixed_or_chosen(stereo):
    def read(channels):
        return frames(clip(stereo, channels=channels), 10, 50)

    np.testing.assert_allclose(read("mix"), stereo[10:60].mean(axis=1), atol=1e-7)
    np.testing.assert_array_equal(read("left"), stereo[10:60, 0])
    np.testing.assert_array_equal(read("first"), stereo[10:60, 0])
    np.testing.assert_array_equal(read("right"), stereo[10:60, 1])
    np.testing.assert_array_equal(read("loudest"), stereo[10:60, 0])
    assert loudest(clip(stereo[:, ::-1])) == 1


def test_a_header_that_claims_too_much_is_not_believed(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(seconds=0.5), 16_000)
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    for claimed in (0xFFFFFFFF, 0x7FFFFFFF):
        content[place : place + 4] = struct.pack("<I", claimed)
        path.write_bytes(content)
        assert format_of(Clip(str(path))).frames == 8000


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (0.5, 0.5, "start 0.5 s is not before end 0.5 s"),
        (0.0, 3.2, "end 3.2 s is behind the sound's 1 s"),
        (1.0, None, "start 1 s is behind the sound's 1 s"),
        (0.0, 750.0, "end 750 s is behind the sound's 1 s; divide milliseconds by 1,000, and samples by their rate"),
        (
            8000.0,
            None,
            "start 8000 s is behind the sound's 1 s; divide milliseconds by 1,000, and samples by their rate",
        ),
    ],
)
def test_parts_outside_of_the_sound_are_errors(start, end, said):
    with pytest.raises(BadData) as caught:
        span(clip(tone(), start=start, end=end))
    assert str(caught.value) == said


def test_a_part_is_counted_in_frames():
    assert span(clip(tone(), start=0.25, end=0.75)) == (4000, 8000)
    assert span(clip(tone(), start=0.25)) == (4000, 12_000)


def files(folder):
    """Files that cannot be used, with what is said of them."""
    yield "empty.wav", b"", "the file is empty"
    yield "text.wav", b"no sound " * 99, "is not a sound that can be decoded"
    yield "a.mp4", b"x", ".mp4 is a video; convert it, such as by: ffmpeg -i IN.mp4 OUT.flac"
    soundfile.write(folder / "none.wav", np.zeros(0, np.float32), 8000)
    yield "none.wav", (folder / "none.wav").read_bytes(), "holds no sound: 0 samples"


def test_says_what_is_wrong_with_a_file(tmp_path):
    for name, content, said in files(tmp_path):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadData) as caught:
            format_of(Clip(str(tmp_path / name)))
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_says_what_is_missing(tmp_path):
    with pytest.raises(MissingInput, match=r"a\.wav: the file does not exist"):
        format_of(Clip(str(tmp_path / "a.wav")))


def test_samples_that_are_no_numbers_are_an_error(tmp_path):
    wave = tone()
    wave[5] = np.nan
    soundfile.write(tmp_path / "a.wav", wave, 16_000, subtype="FLOAT")
    with pytest.raises(BadData, match="NaN"):
        frames(Clip(str(tmp_path / "a.wav")), 0, 100)
    wave[5] = -np.inf
    with pytest.raises(BadData, match="infinity"):
        frames(clip(wave), 0, 100)


def test_integers_that_were_stored_as_floats_are_an_error(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(level=20_000), 16_000, subtype="FLOAT")
    with pytest.raises(BadData) as caught:
        frames(Clip(str(tmp_path / "a.wav")), 0, 10**9)
    assert str(caught.value) == "has floats up to 20,000, which must be in -1…1; divide those of 16 bits by 32,768"
    np.testing.assert_array_equal(frames(clip(tone(level=30)), 0, 10**9), tone(level=30))


def test_one_side_of_other_sounds_than_stereo_is_an_error():
    with pytest.raises(BadData, match="has 3 channels, so none is the left one; set channels: mix"):
        frames(clip(np.zeros((9, 3), np.float32), channels="left"), 0, 9)


def test_opposite_channels_are_found(stereo):
    opposite = np.stack([tone(), -tone()], axis=1)
    assert is_canceled(clip(opposite))
    assert not is_canceled(clip(opposite, channels="first"))
    assert not is_canceled(clip(stereo))
    assert not is_canceled(clip(np.zeros((100, 2), np.float32)))


def test_says_that_the_library_is_missing(tmp_path, monkeypatch):
    (tmp_path / "a.wav").write_bytes(b"x")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(Unavailable, match=r"needs soundfile and soxr: pip install 'ftaug\[audio\]'"):
        format_of(Clip(str(tmp_path / "a.wav")))
