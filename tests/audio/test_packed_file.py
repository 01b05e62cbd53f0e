"""Files of sounds for archives: as they are, or as WAV."""

import io

import numpy as np
import pytest
import soundfile
from sounds import RATE, noise, write_classes

from ftaug.audio.datasets.folder import audio_folder
from ftaug.audio.datasets.instruments import instruments
from ftaug.audio.datasets.table import audio_table
from ftaug.audio.io.sound_file import frames
from ftaug.audio.packed_file import packed_file
from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Shrink


def test_files_are_copied_and_parts_are_cut(tmp_path):
    write_classes(tmp_path / "a", count=1)
    soundfile.write(tmp_path / "a" / "low" / "1.flac", np.stack([noise(), -0.5 * noise(seed=1)], axis=1), RATE)
    folder = audio_folder("train", path=tmp_path / "a")
    assert packed_file(folder, 2, None) == ((tmp_path / "a" / "low" / "1.flac").read_bytes(), ".flac")
    (tmp_path / "t.csv").write_text("path,start,end,label\na/low/1.flac,0.25,0.5,x\na/low/0.wav,,,y\n")
    table = audio_table("train", path=tmp_path / "t.csv", start="start", end="end")
    content, suffix = packed_file(table, 0, None)
    wave, rate = soundfile.read(io.BytesIO(content), dtype="float32")
    assert (suffix, rate, len(wave)) == (".wav", RATE, 4000)
    np.testing.assert_array_equal(wave, frames(table.read(0), 4000, 4000))
    assert packed_file(table, 1, None)[0] == (tmp_path / "a" / "low" / "0.wav").read_bytes()


def test_computed_sounds_become_files():
    samples = instruments("train", per_class=1)
    wave, rate = soundfile.read(io.BytesIO(packed_file(samples, 0, None)[0]), dtype="float32")
    np.testing.assert_array_equal(wave, frames(samples.read(0), 0, len(wave)))
    assert rate == 16_000


def test_sounds_are_not_resized():
    with pytest.raises(ExperimentError, match="--resize: makes images smaller"):
        packed_file(instruments("train", per_class=1), 0, Shrink(100, 90))
