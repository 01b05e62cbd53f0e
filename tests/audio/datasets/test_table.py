"""Sounds in tables: parts of files, manifests, groups, and lines that cannot be used."""

import json

import numpy as np
import pytest
import soundfile
from sounds import RATE

from ftaug.audio.clip import Clip
from ftaug.audio.datasets.table import audio_table
from ftaug.errors import BadData, MissingInput


@pytest.fixture
def folder(tmp_path):
    for name in "ab":
        soundfile.write(tmp_path / f"{name}.wav", np.zeros(2 * RATE, np.float32), RATE)
    return tmp_path


def table(folder, text, **settings):
    path = folder / ("t.jsonl" if text.startswith("{") else "t.csv")
    path.write_text(text)
    return audio_table("train", path=path, **settings)


def test_parts_of_a_file_are_samples_of_one_group(folder):
    text = "audio,from,to,label\na.wav,0,0.5,x\na.wav,0.5,,y\nb.wav,,1,x\n"
    samples = table(folder, text, start="from", end="to")
    file = f"{folder}/a.wav"
    assert [samples.read(i) for i in range(2)] == [Clip(file, 0.0, 0.5), Clip(file, 0.5, None)]
    assert [samples.key(i) for i in range(3)] == ["a.wav[0:0.5]", "a.wav[0.5:]", "b.wav[0:1]"]
    assert samples.groups[0] == samples.groups[1] != samples.groups[2]
    assert samples.targets.tolist() == [0, 1, 0]


def test_manifests_have_offset_and_duration(folder):
    lines = [{"audio_filepath": "a.wav", "offset": 0.5, "duration": 0.25, "label": "x"}]
    lines += [{"audio_filepath": "b.wav", "offset": 0.0, "duration": 1.0, "label": "y"}]
    samples = table(folder, "\n".join(map(json.dumps, lines)))
    assert [(samples.read(i).start, samples.read(i).end) for i in range(2)] == [(0.5, 0.75), (0.0, 1.0)]


@pytest.mark.parametrize(
    ("names", "settings", "span"),
    [
        ("start,end", {}, (0.5, 1.0)),
        ("start,end", {"audio": "path"}, (0.5, 1.0)),
        ("start,end", {"end": None}, (0.5, None)),
        ("start,end", {"start": None, "end": None}, (0.0, None)),
        ("start,stop", {}, (0.5, None)),
        ("start,stop", {"end": "stop"}, (0.5, 1.0)),
        ("offset,duration", {}, (0.5, 1.5)),
        ("offset,end", {}, (0.0, 1.0)),
        ("offset,length", {}, (0.0, None)),
    ],
)
def test_times_are_taken_by_their_usual_names(folder, names, settings, span):
    """A table of parts that is read as one of whole files gives a network wrong labels without a word."""
    samples = table(folder, f"path,{names},label\na.wav,0.5,1,x\nb.wav,0.5,1,y\n", **settings)
    assert (samples.read(0).start, samples.read(0).end) == span


def test_other_parts_are_other_data(folder):
    tables = [f"path,start,label\na.wav,{start},x\nb.wav,0,y\n" for start in (0, 0.5)]
    first, second = (table(folder, text, start="start").fingerprint for text in tables)
    assert first != second


@pytest.mark.parametrize(
    ("row", "error", "said"),
    [
        ("a.wav,00:00:01,,x", BadData, "t.csv:3: column 'start' must contain seconds, such as 62.5; got '00:00:01'"),
        ('a.wav,"0,5",,x', BadData, "t.csv:3: column 'start' must contain a number; got '0,5'; write 0.5"),
        ("a.wav,1,1,x", BadData, "t.csv:3: start 1 s is not before end 1 s"),
        ("a.wav,-1,1,x", BadData, "t.csv:3: start must be 0 s or more; got -1"),
        ("a.wav,soon,1,x", BadData, "t.csv:3: column 'start'"),
        ("c.wav,0,1,x", MissingInput, "t.csv:3: no sound c.wav in"),
        ("../a.wav,0,1,x", BadData, "leads out of the folder; set root to a folder that holds all sounds"),
        (",0,1,x", BadData, "t.csv:3: the sound's path is empty"),
    ],
)
def test_says_what_is_wrong_with_a_line(folder, row, error, said):
    with pytest.raises(error) as caught:
        table(folder, f"path,start,end,label\nb.wav,0,1,y\n{row}\n", start="start", end="end")
    assert said in str(caught.value)
