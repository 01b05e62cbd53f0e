"""Sounds named on the command line."""

import pytest
from sounds import augmentation, write_classes

from ftaug.audio.predict_inputs import inputs
from ftaug.errors import MissingInput

TRAIN = augmentation("audio_folder", "dataset", path=".", channels="left")


def test_names_files_and_folders(tmp_path):
    folder = write_classes(tmp_path / "a", count=2)
    named = list(inputs([str(folder / "low"), str(folder / "high" / "1.wav")], TRAIN))
    assert [each.name.removeprefix(f"{folder}/") for each in named] == ["low/0.wav", "low/1.wav", "high/1.wav"]
    assert {each.read().channels for each in named} == {"left"}


def test_says_what_is_missing(tmp_path):
    with pytest.raises(MissingInput) as caught:
        list(inputs([str(tmp_path), "none.wav"], TRAIN))
    assert [str(each) for each in caught.value.problems] == [
        f"{tmp_path}: holds no .wav, .flac, .ogg, .oga, .opus, .mp3, .aif, .aiff, .aifc, .au, .caf, .m4a, .aac, .wma "
        "or .amr",
        "none.wav: no such file or folder",
    ]
