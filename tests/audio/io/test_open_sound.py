"""Files as programs write them, not only as soundfile does: headers, endings of names, and what is no sound."""

import shutil
import struct

import numpy as np
import pytest
import soundfile
from sounds import noise, tone

from ftaug.audio.clip import Clip
from ftaug.audio.io.open_sound import SUFFIXES, opened
from ftaug.audio.io.resample import window
from ftaug.audio.io.sound_file import format_of, frames
from ftaug.errors import BadData, StorageError

RATE = 16_000
WAVE = tone(440, 0.5) + noise(0.5, level=0.05)


def read(path):
    return frames(Clip(str(path)), 0, 10**9)


def form(tag=1, bits=16, order="<", extension=b""):
    """The chunk that describes mono samples."""
    fields = struct.pack(f"{order}HHIIHH", tag, 1, RATE, RATE * bits // 8, bits // 8, bits)
    return b"fmt " + struct.pack(f"{order}I", len(fields + extension)) + fields + extension


def riff(form, data, before=b"", size=None, data_size=None, name=b"RIFF", order="<"):
    chunks = b"WAVE" + form + before + b"data"
    chunks += struct.pack(f"{order}I", len(data) if data_size is None else data_size) + data
    return name + struct.pack(f"{order}I", len(chunks) if size is None else size) + chunks


INTEGERS = (WAVE * 32_768).round().astype("<i2")
PIECES = b"LIST" + struct.pack("<I", 5) + b"INFOx\0" + b"bext" + struct.pack("<I", 602) + bytes(602)
EXTENSIBLE = struct.pack("<HHI", 22, 16, 4) + struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
UNKNOWN = 0xFFFFFFFF


def mu_law_codes(wave):
    """G.711: the sign, the octave above the bias of 132, and four bits within it."""
    magnitude = np.minimum(np.abs(wave * 32_768).astype(int), 32_635) + 132
    octave = np.floor(np.log2(magnitude)).astype(int) - 7
    code = (wave < 0) * 128 | octave << 4 | magnitude >> octave + 3 & 15
    return (~code & 255).astype(np.uint8)


FILES = {
    "integers of 16 bits": (riff(form(), INTEGERS.tobytes()), 2**-15),
    "chunks before the samples": (riff(form(), INTEGERS.tobytes(), PIECES), 2**-15),
    "written to a pipe": (riff(form(), INTEGERS.tobytes(), PIECES, UNKNOWN, UNKNOWN), 2**-15),
    "without the size of the file": (riff(form(), INTEGERS.tobytes(), size=0), 2**-15),
    "extensible": (riff(form(0xFFFE, extension=EXTENSIBLE), INTEGERS.tobytes()), 2**-15),
    "big-endian": (riff(form(order=">"), INTEGERS.astype(">i2").tobytes(), name=b"RIFX", order=">"), 2**-15),
    "unsigned of 8 bits": (riff(form(bits=8), (WAVE * 128 + 128).round().astype(np.uint8).tobytes()), 2**-8),
    "integers of 24 bits": (
        riff(form(bits=24), (WAVE * 2**23).round().astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()),
        2**-22,
    ),
    "µ-law": (riff(form(7, 8), mu_law_codes(WAVE).tobytes()), 0.02),
    "floats": (riff(form(3, 32), WAVE.astype("<f4").tobytes()), 0),
    "doubles": (riff(form(3, 64), WAVE.astype("<f8").tobytes()), 0),
}


@pytest.mark.parametrize("kind", FILES)
def test_wav_files_are_read_as_their_samples(tmp_path, kind):
    content, error = FILES[kind]
    (tmp_path / "a.wav").write_bytes(content)
    assert format_of(Clip(str(tmp_path / "a.wav"))) == (RATE, len(WAVE), 1)
    np.testing.assert_allclose(read(tmp_path / "a.wav"), WAVE, atol=error, rtol=0)


def test_floats_above_full_scale_are_kept(tmp_path):
    soundfile.write(tmp_path / "a.wav", 4 * WAVE, RATE, subtype="FLOAT")
    np.testing.assert_array_equal(read(tmp_path / "a.wav"), 4 * WAVE)


@pytest.mark.parametrize(
    ("container", "suffix", "endian"),
    [
        ("RF64", "wav", None),
        ("W64", "w64", None),
        ("AIFF", "aiff", None),
        ("AIFF", "aifc", "LITTLE"),
        ("AU", "au", None),
    ],
)
def test_other_containers_hold_the_same(tmp_path, container, suffix, endian):
    path = tmp_path / f"a.{suffix.upper()}"
    soundfile.write(str(path), WAVE, RATE, format=container, endian=endian, subtype="PCM_16")
    np.testing.assert_allclose(read(path), WAVE, atol=2**-15, rtol=0)


@pytest.mark.parametrize("written", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("named", [".wav", ".mp3", ".m4a", ".ogg", ".aac"])
def test_the_content_counts_not_the_name(tmp_path, monkeypatch, written, named):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    soundfile.write(tmp_path / f"a.{written}", WAVE, RATE)
    shutil.copy(tmp_path / f"a.{written}", tmp_path / f"b{named}")
    np.testing.assert_array_equal(read(tmp_path / f"b{named}"), read(tmp_path / f"a.{written}"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.mp3", b"<html>404</html>" * 99, "(it begins with '<html>404</html><html>40'); read: .wav .flac"),
        (
            "a.wav",
            b"version https://git-lfs.github.com/spec/v1\n",
            "(it begins with 'version https://git-lfs.'); read:",
        ),
        ("a.wav", bytes(9000), "(it begins with 00 00 00 00 00 00 00 00); read: .wav"),
        ("a.wav", b"RIFF\x04\0\0\0WAVE", "replace it, or convert it, such as by: ffmpeg -i IN.wav OUT.flac"),
        (
            "a.wav",
            riff(form(), bytes(9000), size=0, data_size=0),
            "holds no sound: 0 samples, as its header says, though",
        ),
        ("a.MP4", b"x", ".mp4 is a video; convert it, such as by: ffmpeg -i IN.mp4 OUT.flac"),
    ],
)
def test_says_what_a_file_is_instead(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadData) as caught:
        format_of(Clip(str(tmp_path / name)))
    assert said in str(caught.value)


def test_a_damaged_file_is_not_read_on(tmp_path):
    soundfile.write(tmp_path / "a.flac", WAVE, RATE)
    content = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(content[: len(content) // 2])
    with pytest.raises(BadData, match=r"lost sync.*; replace it, or convert it"):
        read(tmp_path / "a.flac")


def test_errors_of_the_disk_are_not_those_of_the_sound(tmp_path):
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(StorageError, match=r"a\.wav: cannot read: Is a directory"), opened(str(tmp_path / "a.wav")):
        pass


def test_all_endings_are_in_lower_case():
    assert all(suffix == suffix.lower() and suffix.startswith(b".") for suffix in SUFFIXES)
    assert len(set(SUFFIXES)) == len(SUFFIXES)


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100, 48_000])
@pytest.mark.parametrize("written", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_tone_is_the_same_at_any_rate_and_in_any_format(tmp_path, rate, written, channels):
    """A model sees it at 16 kHz, whatever else is in the folder."""
    time = np.arange(rate) / rate
    wave = 0.5 * np.sin(2 * np.pi * 440 * time)
    soundfile.write(tmp_path / written, np.stack([wave] * channels, axis=1), rate)
    seen = window(Clip(str(tmp_path / written)), RATE, 0, RATE)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    middle = slice(2000, 14_000)  # without what coders do at the ends
    np.testing.assert_allclose(seen.wave[middle], expected[middle], atol=0.08)
    assert abs(seen.end - RATE) <= 1
