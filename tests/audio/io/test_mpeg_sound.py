"""MP3 sounds: parts are slices of the whole, for every rate and wherever they begin, and nothing is said of it."""

import os

import numpy as np
import pytest
import soundfile
from processes import in_child
from sounds import noise

from ftaug.audio.clip import Clip, Content
from ftaug.audio.io.mpeg_sound import BLOCK, LEAD, mpeg_sound
from ftaug.audio.io.sound_file import format_of, frames

FIRST = (0, 1, 5000, BLOCK - 1, BLOCK, BLOCK + 1, BLOCK + 777, BLOCK + LEAD + 31_415)
SOUNDS = {
    "mono at 16 kHz": (16_000, 1, {}),
    "mono at 22.05 kHz": (22_050, 1, {}),
    "few bits": (22_050, 1, {"bitrate_mode": "CONSTANT", "compression_level": 0.99}),
    "stereo at 44.1 kHz": (44_100, 2, {}),
    "variable": (32_000, 1, {"bitrate_mode": "VARIABLE", "compression_level": 0.1}),
}


def write(path, rate, channels, settings):
    """Noise of varying level for more than two blocks, for which encoders save bits in the reservoir."""
    count = 2 * BLOCK + 20_000
    wave = np.stack([noise(count / rate, rate, seed=seed, level=0.2) for seed in range(channels)], axis=1)[:count]
    soundfile.write(path, wave * np.repeat(np.linspace(0.1, 1, 50), -(-count // 50))[:count, None], rate, **settings)


@pytest.mark.parametrize("name", SOUNDS)
def test_a_part_is_the_slice_of_the_whole(tmp_path, capfd, name):
    """Of a decoder that starts inside, up to a thousand samples are wrong, by more than noise."""
    path = tmp_path / "a.mp3"
    write(path, *SOUNDS[name])
    clip = Clip(str(path), channels="first")
    whole = frames(clip, 0, 10**9)
    expected = soundfile.read(path, dtype="float32", always_2d=True)[0][:, 0]
    np.testing.assert_allclose(whole, expected, atol=1e-6)
    assert len(whole) == format_of(clip).frames
    content = path.read_bytes()
    stored = Clip(Content("a.mp3", (str(path), 512), lambda: content), channels="first")
    for first in FIRST:
        np.testing.assert_array_equal(frames(clip, first, 4000), whole[first : first + 4000], err_msg=str(first))
        np.testing.assert_array_equal(frames(stored, first, 4000), whole[first : first + 4000])
    np.testing.assert_array_equal(frames(clip, 10, 2 * BLOCK), whole[10 : 10 + 2 * BLOCK])
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n", "mpg123 says nothing, and others are heard afterwards"


def test_only_mp3_is_read_so_whatever_the_name(tmp_path):
    write(tmp_path / "a.mp3", 16_000, 1, {})
    soundfile.write(tmp_path / "a.wav", noise(), 16_000)
    (tmp_path / "b.wav").write_bytes((tmp_path / "a.mp3").read_bytes())
    (tmp_path / "b.mp3").write_bytes((tmp_path / "a.wav").read_bytes())
    assert mpeg_sound(str(tmp_path / "b.mp3")) is None
    assert mpeg_sound(str(tmp_path / "b.wav")).frames == mpeg_sound(str(tmp_path / "a.mp3")).frames
    for name in ("a.mp3", "b.wav"):
        part = frames(Clip(str(tmp_path / name)), BLOCK + 777, 1000)
        np.testing.assert_array_equal(part, frames(Clip(str(tmp_path / name)), 0, 10**9)[BLOCK + 777 : BLOCK + 1777])


def test_a_file_that_changes_is_read_again(tmp_path):
    path = tmp_path / "a.mp3"
    for level in (0.1, 0.3):
        soundfile.write(path, noise(level=level), 16_000)
        os.utime(path, ns=(0, round(level * 1e9)))
        assert np.std(frames(Clip(str(path)), 4000, 8000)) == pytest.approx(level, rel=0.2)


def test_without_stderr(tmp_path):
    write(tmp_path / "a.mp3", 16_000, 1, {})

    def read():
        os.close(2)
        assert len(frames(Clip(str(tmp_path / "a.mp3")), BLOCK + 5, 1000)) == 1000

    assert in_child(read) == 0
