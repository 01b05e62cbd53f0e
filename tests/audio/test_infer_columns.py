"""Which column of a table names sounds."""

import pytest

from ftaug.audio.infer_columns import guess, rows_of_sounds, sound_column
from ftaug.errors import ExperimentError


@pytest.mark.parametrize(
    ("content", "column"),
    [
        ({"file": ["a.wav", "b.MP3"], "label": ["x", "y"]}, "file"),
        ({"noise": ["n.wav", "m.wav"], "audio": ["a.wav", "b.wav"]}, "audio"),
        ({"noise": ["n.wav", "m.wav"], "label": ["x", "y"]}, "noise"),
        ({"text": ["a sound", "b"], "label": ["x", "y"]}, None),
    ],
)
def test_by_name_or_by_what_it_holds(content, column):
    assert sound_column(content) == column


def test_says_what_is_missing(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\nhello you there,x\n")
    assert rows_of_sounds(tmp_path / "t.csv") == 0
    with pytest.raises(ExperimentError, match="no column holds paths of sounds"):
        guess(tmp_path / "t.csv")
    (tmp_path / "a.wav").touch()
    (tmp_path / "t.csv").write_text("audio,note\na.wav,x y z\n")
    assert rows_of_sounds(tmp_path / "t.csv") == 1
    with pytest.raises(ExperimentError, match="cannot tell which column holds the label"):
        guess(tmp_path / "t.csv")
