"""AAC in MP4: where a sound begins, parts of it, and what is wrong with files."""

import io
import sys
from fractions import Fraction

import numpy as np
import pytest
from sounds import noise, tone

from ftaug.audio.clip import Clip, Content
from ftaug.audio.io.av_file import reads
from ftaug.audio.io.resample import length, window
from ftaug.audio.io.sound_file import format_of, frames, loudest
from ftaug.cli import run
from ftaug.errors import BadData, Unavailable

av = pytest.importorskip("av")


def bursts(rate, count):
    """Tones of several pitches with silence between them, so that a shift shows."""
    wave = np.concatenate([np.append(tone(300 + 200 * n, 0.11, rate), np.zeros(rate // 20)) for n in range(9)])
    return np.resize(wave, count).astype(np.float32) + noise(count / rate, rate, level=0.01)


def write(path, waves, rate, codec="aac", **options):
    """A file of these waveforms, one a channel, encoded by FFmpeg."""
    layout = "mono" if len(waves) == 1 else "stereo"
    with av.open(str(path), "w", **options) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(np.stack(waves), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_sound_begins_where_it_did_before_encoding(tmp_path, rate):
    wave = bursts(rate, rate + 777)
    clip = Clip(str(write(tmp_path / "a.m4a", [wave], rate)))
    read = frames(clip, 0, 10**9)
    assert format_of(clip) == (rate, len(read), 1)
    assert 0 <= len(read) - len(wave) < 1024, "the encoder's silence before it is left out"
    size = 2 * len(read)
    lags = np.fft.irfft(np.fft.rfft(wave, size).conj() * np.fft.rfft(read, size))
    assert int(lags.argmax()) == 0
    error = read[: len(wave)] - wave
    assert np.square(error).mean() < 0.02 * np.square(wave).mean()


def test_a_part_is_the_slice_of_the_whole(tmp_path):
    waves = [bursts(44_100, 60_000), 0.5 * noise(60_000 / 44_100, 44_100)]
    clip = Clip(str(write(tmp_path / "a.m4a", waves, 44_100)))
    whole = frames(clip, 0, 10**9)
    for first in (0, 1, 12_345, len(whole) - 100):
        np.testing.assert_array_equal(frames(clip, first, 3000), whole[first : first + 3000])
    assert loudest(clip) == 0
    np.testing.assert_allclose(
        frames(Clip(clip.source, channels="left"), 0, 10**9) + frames(Clip(clip.source, channels="right"), 0, 10**9),
        2 * whole,
        atol=1e-6,
    )
    resampled = window(clip, 16_000, 0, length(clip, 16_000)).wave
    for first in (1600, 8000):
        np.testing.assert_allclose(window(clip, 16_000, first, 2000).wave, resampled[first : first + 2000], atol=1e-5)


def test_from_an_archive_it_is_the_same(tmp_path):
    path = write(tmp_path / "a.m4a", [bursts(16_000, 9000)], 16_000)
    content = path.read_bytes()
    stored = Clip(Content("a.m4a", ("t.tar", 512), lambda: content))
    assert format_of(stored) == format_of(Clip(str(path)))
    np.testing.assert_array_equal(frames(stored, 100, 500), frames(Clip(str(path)), 100, 500))


def test_a_changed_file_is_read_anew(tmp_path):
    path = write(tmp_path / "a.m4a", [tone(300, 0.3)], 16_000)
    before = format_of(Clip(str(path)))
    write(path, [tone(300, 0.6)], 16_000)
    assert format_of(Clip(str(path))).frames > before.frames + 4000


def test_says_what_is_wrong(tmp_path):
    (tmp_path / "a.m4a").write_bytes(b"no sound" * 99)
    with pytest.raises(BadData, match="is not a sound that can be decoded"):
        format_of(Clip(str(tmp_path / "a.m4a")))
    content = io.BytesIO()
    with av.open(content, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    (tmp_path / "b.m4a").write_bytes(content.getvalue())
    with pytest.raises(BadData, match="has no audio track"):
        format_of(Clip(str(tmp_path / "b.m4a")))


def test_is_read_under_the_name_of_another_format(tmp_path):
    path = write(tmp_path / "a.m4a", [bursts(16_000, 9000)], 16_000)
    expected = frames(Clip(str(path)), 0, 10**9)
    phone = tmp_path / "recording.wav"
    phone.write_bytes(path.read_bytes())
    np.testing.assert_array_equal(frames(Clip(str(phone)), 0, 10**9), expected)
    for name, beginning in {"a.wav": b"#!AMR\n", "a.mp3": b"\xff\xf1\x50\x80", "a.ogg": b"\x1aE\xdf\xa3"}.items():
        assert reads(name, beginning)
    assert not reads("a.wav", b"RIFF\x24\0\0\0WAVE")
    assert not reads("a.mp3", b"\xff\xfb\x90\x64"), "MP3, which libsndfile reads"


def test_names_the_extra(tmp_path, monkeypatch, capsys):
    for label in ("x", "y"):
        (tmp_path / "sounds" / label).mkdir(parents=True)
        for number in range(3):
            write(tmp_path / "sounds" / label / f"{number}.m4a", [tone(300 + 99 * number, 0.2)], 16_000)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(
        "modality: audio\ndata: {train: {audio_folder: {path: sounds}}, val: {split: 34%}, workers: 0}\n"
        "backbone: {spectrogram: {network: resnet20, weights: none, seconds: 0.2, mels: 16}}\n"
    )
    assert run(["inspect", "a.yaml", "--read"]) == 0, capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "av", None)
    path = str(write_unread(tmp_path))
    with pytest.raises(
        Unavailable, match=r"reading .*/other/x/0\.m4a \(AAC, AMR, WMA or WebM\) needs PyAV: pip install 'ftaug\[av\]'"
    ):
        format_of(Clip(path))
    assert run(["init", "other", "--output", "b.yaml"]) == 69
    assert "0.m4a (AAC, AMR, WMA or WebM) needs PyAV" in capsys.readouterr().err


def write_unread(folder):
    """A copy in another folder, which no test has read yet."""
    for label in ("x", "y"):
        (folder / "other" / label).mkdir(parents=True)
        for number in range(2):
            content = (folder / "sounds" / label / f"{number}.m4a").read_bytes()
            (folder / "other" / label / f"{number}.m4a").write_bytes(content)
    return folder / "other" / "x" / "0.m4a"
