"""Facts about sounds, by sounds of which they are known."""

import numpy as np
import pytest
import soundfile
from sounds import RATE, clip, noise, tone

from ftaug.audio.clip import Clip
from ftaug.audio.io import sound_file
from ftaug.audio.sound_facts import sound_facts


def test_facts_of_a_tone():
    facts = sound_facts(clip(tone(level=0.5, seconds=0.8)))
    assert facts["seconds"] == pytest.approx(0.8)
    assert facts["loudness"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.01)
    assert facts["snr"] == pytest.approx(0, abs=0.1)
    assert (facts["rate"], facts["channels"]) == (16_000, 1)
    assert facts["clipped"] == facts["silent"] == facts["missing"] == 0


def test_noise_between_words_is_found():
    wave = noise(1.0, level=0.001)
    wave[4000:8000] += tone(seconds=0.25)
    assert sound_facts(clip(wave))["snr"] == pytest.approx(20 * np.log10(0.5 / np.sqrt(8) / 0.001), abs=1)


def test_clipped_samples_are_counted():
    wave = np.clip(tone(level=2.0), -1, 1)
    in_a_row = 11.1 / 18.2  # of 12.1 clipped samples in half a period of 18.2
    assert sound_facts(clip(wave))["clipped"] == pytest.approx(in_a_row, abs=0.02)
    assert sound_facts(clip(tone(level=1.0)))["clipped"] < 0.05


def test_silence_is_counted_by_frames():
    wave = tone(seconds=1.0)
    wave[8000:12_000] = 0
    assert sound_facts(clip(np.stack([wave, wave], axis=1))) | {} == sound_facts(clip(wave)) | {"channels": 2}
    assert sound_facts(clip(wave))["silent"] == pytest.approx(0.25, abs=0.03)


def test_a_header_that_claims_more_than_there_is_is_not_believed(tmp_path):
    soundfile.write(tmp_path / "a.mp3", tone(seconds=3.0), RATE)
    whole = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "a.mp3").write_bytes(whole[: len(whole) // 2])
    facts = sound_facts(Clip(str(tmp_path / "a.mp3")))
    assert 0.5 < facts["seconds"] < 2.5
    assert facts["seconds"] + facts["missing"] == pytest.approx(3.0)


@pytest.mark.parametrize(("suffix", "bytes_of_header"), [("wav", 44), ("aiff", 54)])
def test_what_a_download_that_was_cut_lacks_is_missing(tmp_path, suffix, bytes_of_header):
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(seconds=3.0), RATE)
    whole = path.read_bytes()
    assert sound_facts(Clip(str(path)))["missing"] == 0
    path.write_bytes(whole[: bytes_of_header + RATE * 2])
    assert sound_facts(Clip(str(path)))["seconds"] == pytest.approx(1.0, abs=0.01)
    assert sound_facts(Clip(str(path)))["missing"] == pytest.approx(2.0, abs=0.01)
    assert sound_facts(Clip(str(path), 0.0, 0.5))["missing"] == 0
    place = whole.index(b"data") + 4 if suffix == "wav" else 0
    unknown = whole[:place] + b"\xff\xff\xff\xff" + whole[place + 4 :]
    if suffix == "wav":
        path.write_bytes(unknown)
        assert sound_facts(Clip(str(path)))["missing"] == 0, "its length was not known when it was written"


@pytest.mark.parametrize("length", [1000, 1001, 12_345])
def test_a_long_sound_has_the_facts_of_its_parts_together(monkeypatch, length):
    wave = np.clip(np.concatenate([tone(level=1.5), noise(level=0.1), np.zeros(3000, np.float32)]), -1, 1)
    expected = sound_facts(clip(wave))
    monkeypatch.setattr(sound_file, "LONG", length)
    assert len(list(sound_file.blocks(clip(wave)))) == -(-len(wave) // length)
    assert sound_facts(clip(wave)) == pytest.approx(expected, rel=1e-12)


def test_a_very_short_sound_has_facts():
    assert np.isfinite(list(sound_facts(clip(tone(seconds=0.001))).values())).all()
