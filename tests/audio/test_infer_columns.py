"""Which column of a table names sounds."""

import pytest

from ftaug.audio.infer_columns import guess, rows_of_sounds, sound_column
from ftaug.errors import BadData, ExperimentError


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


@pytest.mark.parametrize(
    ("names", "values", "times"),
    [
        ("path,start,end", "0.5,1", {"start": "start", "end": "end"}),
        ("path,Begin Time (s),End Time (s)", "0.5,1", {"start": "Begin Time (s)", "end": "End Time (s)"}),
        ("path,onset,offset", "0.5,1", {"start": "onset", "end": "offset"}),
        ("path,start,end", "2024-05-01 10:00,2024-05-01 10:01", {"start": None, "end": None}),
        ("path,start,end", "0.5,", {"start": "start", "end": "end"}),
        ("path,offset,duration", "0.5,1", {}),
        ("path,room,duration", "1,1", {}),
    ],
)
def test_times(tmp_path, names, values, times):
    for name in "ab":
        (tmp_path / f"{name}.wav").touch()
    rows = "".join(f"{name}.wav,{values},{label}\n" for name, label in ("ax", "by", "ay", "bx") * 2)
    (tmp_path / "t.csv").write_text(f"{names},label\n{rows}")
    found = guess(tmp_path / "t.csv")
    assert (found.times, found.targets.label) == (times, "label")


@pytest.mark.parametrize(("start", "shown"), [("0,5", "0,5"), ("00:01:02", "00:01:02"), ("1:02.5", "1:02.5")])
def test_times_in_other_units_are_not_left_out(tmp_path, start, shown):
    (tmp_path / "t.csv").write_text(f"path;start;label\na.wav;{start};x\n")
    (tmp_path / "a.wav").touch()
    with pytest.raises(BadData, match=f"column 'start' must hold seconds, such as 62.5; got '{shown}'; if it is no"):
        guess(tmp_path / "t.csv")


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
