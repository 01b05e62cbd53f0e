"""Sounds in class folders: their classes, channels, and what is counted."""

import soundfile
from sounds import tone, write_classes

from ftaug.audio.datasets.folder import audio_folder
from ftaug.audio.io.sound_file import frames


def test_reads_sounds_of_all_formats_by_their_folder(tmp_path):
    folder = write_classes(tmp_path / "a", count=2)
    for suffix in ("flac", "ogg", "mp3", "AIFF"):
        soundfile.write(folder / "low" / f"x.{suffix}", tone(seconds=0.1), 16_000, format=suffix.upper())
    (folder / "low" / "readme.txt").write_text("x")
    samples = audio_folder("train", path=folder)
    assert samples.task.classes == ("high", "low", "middle")
    assert samples.targets.tolist() == [0, 0, *[1] * 6, 2, 2]
    assert samples.key(0) == "high/0.wav"
    assert samples.name(0) == f"{folder}/high/0.wav"
    assert any("1 file of another kind ignored: .txt (1)" in note for note in samples.notes)
    assert all(len(frames(samples.read(index), 0, 10)) == 10 for index in range(len(samples)))


def test_other_channels_are_other_data(tmp_path):
    folder = write_classes(tmp_path / "a", count=1)
    mixed, left = audio_folder("train", path=folder), audio_folder("train", path=folder, channels="left")
    assert left.read(0).channels == "left"
    assert mixed.fingerprint != left.fingerprint
