"""The same sounds in a folder, archives, Parquet and Arrow files: the same digest and the same bits of a training."""

import json

import numpy as np
import pytest
import soundfile
from archives import write_zip
from hf_files import SOUND, classes, file_table, write_disk, write_parquet
from run_bits import differing, run_bits, without_metadata
from sounds import tone, write_classes

from ftaug.audio.datasets.folder import audio_folder
from ftaug.audio.datasets.shards import audio_shards
from ftaug.audio.datasets.table import audio_table
from ftaug.audio.io.sound_file import frames, span
from ftaug.cli import run

pytest.importorskip("pyarrow")

EXPERIMENT = """
name: sounds
modality: audio
data: {train: {audio_folder: {path: tones}}, val: {split: 25%}, batch_size: 4, workers: 0}
backbone: {spectrogram: {network: resnet20, weights: none, seconds: 0.2, windows: 2, rate: 8000, mels: 16}}
augment: [speed, gain, time_mask]
train: {epochs: 1, precision: fp32}
"""
FORMATS = {
    "tar": "audio_shards: {path: 'packed/train-*.tar'}",
    "zip": "audio_shards: {path: tones.zip}",
    "Parquet": "audio_parquet: {path: 'tones-*.parquet'}",
    "Arrow": "hf_disk: {path: disk}",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the same sounds in each format, and the bits of a run on the folder of sounds."""
    folder = tmp_path_factory.mktemp("formats")
    write_classes(folder / "tones", count=4)
    for suffix in ("flac", "ogg", "mp3"):
        soundfile.write(folder / "tones" / "low" / f"x.{suffix}", tone(300, 0.4), 16_000)
    (folder / "a.yaml").write_text(EXPERIMENT)
    samples = audio_folder("train", path=folder / "tones")
    members = {samples.key(index): samples.content(index) for index in range(len(samples))}
    write_zip(folder / "tones.zip", members)
    rows = [(name.rpartition("/")[2], content) for name, content in members.items()]
    features = {"audio": SOUND, "label": classes(*samples.task.classes)}
    table = file_table("audio", rows, features, label=samples.targets.tolist())
    for number in range(2):
        part = table.slice(8 * number, 8)
        write_parquet(folder / f"tones-{number}.parquet", part, row_group_size=5, compression="snappy")
    write_disk(folder / "disk", table.slice(0, 9), table.slice(9))
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        assert run(["pack", "a.yaml", "--size", "20kB", "--output", "packed"]) == 0
        assert len([*(folder / "packed").glob("train-*.tar")]) > 2
        assert run(["train", "a.yaml", "--no-report", "--run-dir", "folder"]) == 0
    return folder


def bits(path):
    return without_metadata(run_bits(path))


@pytest.mark.parametrize("name", FORMATS)
def test_the_bits_of_a_training_are_those_of_the_folder(place, name, monkeypatch):
    monkeypatch.chdir(place)
    assert run(["train", "a.yaml", "--no-report", "--run-dir", name, f"data.train={{{FORMATS[name]}}}"]) == 0
    assert differing(bits(place / name), bits(place / "folder")) == []
    recorded = [json.loads((place / each / "model.json").read_text())["data"] for each in ("folder", name)]
    assert recorded[0] == recorded[1], "the digests of the samples"
    assert run(["evaluate", name, "--slices", "loudness"]) == 0


def test_parts_of_files_are_packed_as_files_of_their_own(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    parts = [f"tones/{name}/{n // 2}.wav,{n / 20},0.25,{name}" for name in ("low", "high") for n in range(4)]
    (place / "parts.csv").write_text("\n".join(["path,start,end,label", *parts]))
    table = "data.train={audio_table: {path: parts.csv, start: start, end: end}}"
    assert run(["pack", "a.yaml", table, "--output", "parts", "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert written["splits"] == {"train": {"samples": 8, "shards": 1}}
    whole = audio_table("train", path=place / "parts.csv", start="start", end="end")
    stored = audio_shards("train", path=place / "parts", classes=("high", "low"), group="group")
    for index in range(8):
        np.testing.assert_array_equal(*(frames(each.read(index), *span(each.read(index))) for each in (whole, stored)))
    names = [each.task.classes[each.targets[index]] for each in (whole, stored) for index in range(8)]
    assert names[:8] == names[8:] == ["low"] * 4 + ["high"] * 4


def test_init_reads_archives_and_columns(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    for path, dataset in {"tones.zip": "audio_shards", "tones-0.parquet": "audio_parquet", "disk": "hf_disk"}.items():
        assert run(["init", path, "--output", f"{dataset}.yaml"]) == 0, capsys.readouterr().err
        text = (place / f"{dataset}.yaml").read_text()
        assert "modality: audio" in text and f"{dataset}:" in text and path in text
        assert run(["validate", f"{dataset}.yaml"]) == 0


def test_resizing_sounds_is_an_error(place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    assert run(["pack", "a.yaml", "--resize", "100", "--output", "smaller"]) == 2
    assert "--resize: makes images smaller, and these are sounds; leave it out" in capsys.readouterr().err
