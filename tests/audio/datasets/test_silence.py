"""Silent sounds are left out of folders and tables, and of nothing else."""

import numpy as np
import pytest
import soundfile
from sounds import RATE, tone, write_classes

from ftaug.audio.datasets.folder import audio_folder
from ftaug.audio.datasets.table import audio_table
from ftaug.errors import BadData


@pytest.fixture
def folder(tmp_path):
    """Three classes of three sounds, of which two are silent and one cannot be read."""
    write_classes(tmp_path / "a", count=3)
    late = np.concatenate([np.zeros(100_000, np.float32), tone(seconds=0.1)])
    soundfile.write(tmp_path / "a" / "high" / "0.wav", late, RATE)
    soundfile.write(tmp_path / "a" / "high" / "1.wav", np.zeros(500), RATE)
    soundfile.write(tmp_path / "a" / "low" / "2.wav", np.zeros((100_000, 2)), RATE)
    (tmp_path / "a" / "middle" / "1.wav").write_bytes(b"no sound")
    return tmp_path / "a"


def test_silent_sounds_are_left_out_of_a_folder(folder):
    whole, heard = (audio_folder("train", path=folder, silent=silent) for silent in ("keep", "skip"))
    rows = [0, 2, 3, 4, 6, 7, 8]
    assert [heard.key(row) for row in range(len(heard))] == [whole.key(row) for row in rows]
    for name in ("targets", "keys"):
        np.testing.assert_array_equal(getattr(heard, name), getattr(whole, name)[rows])
    assert heard.notes == (*whole.notes, "2 silent sounds left out")
    assert heard.fingerprint != whole.fingerprint
    assert whole.read(1).silent == "keep"
    assert whole.fingerprint == audio_folder("train", path=folder).fingerprint


def test_silent_parts_are_left_out_of_a_table(folder):
    lines = ["path,start,end,label,room", "high/0.wav,0,1,a,1", "high/0.wav,6.2,,b,2", "high/2.wav,,,a,3"]
    (folder / "t.csv").write_text("\n".join(lines))
    samples = audio_table("train", path=folder / "t.csv", start="start", end="end", silent="skip")
    assert [samples.key(row) for row in range(len(samples))] == ["high/0.wav[6.2:]", "high/2.wav"]
    assert samples.targets.tolist() == [1, 0]
    assert samples.columns() == {"room": ["2", "3"]}


def test_a_class_of_silence_is_an_error(folder):
    for path in (folder / "low").iterdir():
        soundfile.write(path, np.zeros(500), RATE)
    with pytest.raises(BadData, match="all sounds of 'low' are silent; set silent: keep"):
        audio_folder("train", path=folder, silent="skip")
