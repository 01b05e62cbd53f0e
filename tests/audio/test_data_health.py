"""Sketches of sounds: copies at another level, rate and format are found, other sounds are not."""

import io

import numpy as np
import pytest
import soundfile
from PIL import Image
from sounds import clip, write_classes

from ftaug.audio.clip import Clip
from ftaug.audio.data_health import candidates, cells, near_duplicate, sheet, sketch
from ftaug.audio.datasets.folder import audio_folder
from ftaug.audio.datasets.instruments import instruments
from ftaug.audio.io.resample import resample
from ftaug.interfaces.data_health import SheetRow

NOTES = instruments("test")


def wave(index):
    return NOTES.read(index).source.wave


def copies(tmp_path, index):
    soft = clip(0.3 * wave(index))
    soundfile.write(tmp_path / f"{index}.mp3", wave(index), 16_000)
    low = clip(resample(wave(index), 16_000, 11_025), 11_025)
    return [soft, Clip(str(tmp_path / f"{index}.mp3")), low]


@pytest.mark.parametrize("index", [0, 30, 90, 150])
def test_finds_copies_and_no_others(tmp_path, index):
    original = clip(wave(index))
    for copy in copies(tmp_path, index):
        assert near_duplicate(original, copy)
        assert sketch(copy).digest != sketch(original).digest
    assert not any(near_duplicate(original, clip(wave(other))) for other in range(5, 200, 40))


def test_candidates_have_all_copies(tmp_path):
    originals = list(range(0, 200, 20))
    sounds = [clip(wave(index)) for index in originals] + [clip(0.3 * wave(index)) for index in originals]
    pairs = candidates(np.stack([sketch(sound).values for sound in sounds]))
    count = len(originals)
    assert {(row, row + count) for row in range(count)} <= set(map(tuple, pairs.tolist()))


def test_equal_samples_have_equal_digests():
    first, second = sketch(clip(wave(0))), sketch(clip(wave(0).copy()))
    assert first.digest == second.digest and first.facts == (len(wave(0)) / 16_000, 16_000, 1)


def test_cells_name_files_and_sounds_in_memory_are_written(tmp_path):
    folder = write_classes(tmp_path / "a", count=1)
    assert cells(audio_folder("train", path=folder), 1, tmp_path) == {"path": str(folder / "low" / "0.wav")}
    (path,) = cells(NOTES, 0, tmp_path / "files").values()
    np.testing.assert_array_equal(soundfile.read(path, dtype="float32")[0], wave(0))


def test_draws_sheets():
    row = SheetRow("bell", "note", [(clip(wave(0)), "first"), (clip(wave(1)), "second")])
    assert Image.open(io.BytesIO(sheet([row], "title", "subtitle"))).width > 400
