"""Sounds in columns: which column, and what is wrong with it."""

import pytest
import soundfile
from hf_files import SOUND, file_table, write_disk, write_parquet
from sounds import RATE, tone

from ftaug.audio.datasets.columns import audio_parquet, hf_disk
from ftaug.audio.io.sound_file import format_of
from ftaug.errors import BadData

pyarrow = pytest.importorskip("pyarrow")


@pytest.fixture
def files(tmp_path):
    rows = []
    for number in range(4):
        soundfile.write(tmp_path / "a.wav", tone(100 * number + 100, 0.1 * number + 0.1), RATE)
        rows.append((f"{number}.wav", (tmp_path / "a.wav").read_bytes()))
    return rows


def test_rows_are_samples(files, tmp_path):
    table = file_table("speech", files, {"speech": SOUND}, label=["x", "y", "x", "y"], age=[1.0, 2.0, 3.0, 4.0])
    write_parquet(tmp_path / "t.parquet", table, row_group_size=3, compression="snappy")
    write_disk(tmp_path / "disk", table)
    for samples in (audio_parquet("train", path=tmp_path / "t.parquet"), hf_disk("train", path=tmp_path / "disk")):
        assert samples.targets.tolist() == [0, 1, 0, 1]
        assert samples.key(2) == "x/2.wav"
        assert [format_of(samples.read(i)).frames for i in range(4)] == [1600, 3200, 4800, 6400]
    ages = audio_parquet("train", path=tmp_path / "t.parquet", audio="speech", target="age")
    assert ages.task.regression


def test_says_what_is_wrong_with_the_columns(files, tmp_path):
    write_parquet(tmp_path / "two.parquet", pyarrow.table({"a": [b"1"], "b": [b"2"], "label": ["x"]}))
    with pytest.raises(BadData, match="several columns hold sounds: 'a', 'b'; set audio to one of them"):
        audio_parquet("train", path=tmp_path / "two.parquet")
    write_parquet(tmp_path / "links.parquet", pyarrow.table({"audio": ["1.wav"], "label": ["x"]}))
    with pytest.raises(BadData, match=r"holds texts, such as paths or addresses, not sounds; .*audio_table"):
        audio_parquet("train", path=tmp_path / "links.parquet")
    rows = file_table("audio", [("1.wav", None)], {"audio": SOUND}, label=["x"])
    write_parquet(tmp_path / "none.parquet", rows)
    with pytest.raises(BadData, match=r"none.parquet:1: the row has no bytes of a sound, only the path 1.wav"):
        audio_parquet("train", path=tmp_path / "none.parquet")
