"""What a user sees of sounds that cannot be used: the message with its place, and the exit code."""

import numpy as np
import pytest
import soundfile
from sounds import RATE, tone, write_classes

from ftaug.cli import run

EXPERIMENT = """
modality: audio
data: {train: {audio_table: {path: sounds.csv, start: start, end: end}}, val: {split: 30%}, workers: 0}
backbone: {spectrogram: {network: resnet20, weights: none, seconds: 0.25, windows: 1, rate: 8000, mels: 16}}
train: {epochs: 1}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Sounds, of which those in `bad` cannot be used, and a table of them."""
    monkeypatch.chdir(tmp_path)
    write_classes(tmp_path / "good", count=4)
    (tmp_path / "bad").mkdir()
    (tmp_path / "empty").mkdir()
    soundfile.write("bad/silent.wav", np.zeros(RATE), RATE)
    soundfile.write("bad/nan.wav", np.append(np.nan, tone(seconds=0.2)), RATE, subtype="FLOAT")
    soundfile.write("bad/short.wav", tone(seconds=1), RATE)
    (tmp_path / "bad" / "chunk.wav").write_bytes(b"RIFF\x04\0\0\0WAVE")
    (tmp_path / "bad" / "film.mp4").write_bytes(b"film")
    (tmp_path / "a.yaml").write_text(EXPERIMENT)
    return tmp_path


def write_table(folder, *rows):
    good = [f"{path.relative_to(folder)},,,{path.parent.name}" for path in sorted(folder.glob("good/*/*.wav"))]
    (folder / "sounds.csv").write_text("\n".join(["path,start,end,label", *rows, *good]))


def train(*overrides):
    return run(["train", "a.yaml", "--no-report", "--run-dir", "run", *overrides])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("bad/silent.wav,,,low", "bad/silent.wav: is silent: all its samples are zero; delete it, or set silent:"),
        ("bad/nan.wav,,,low", "bad/nan.wav: has samples that are not numbers (NaN or infinity)"),
        ("bad/short.wav,,3.2,low", "bad/short.wav[0:3.2]: end 3.2 s is behind the sound's 1 s"),
        ("bad/short.wav,2,,low", "bad/short.wav[2:]: start 2 s is behind the sound's 1 s"),
        ("bad/short.wav,0.5,0.2,low", "sounds.csv:2: start 0.5 s is not before end 0.2 s"),
        ("bad/chunk.wav,,,low", "bad/chunk.wav: is not a sound that can be decoded"),
        ("bad/film.mp4,,,low", "bad/film.mp4: .mp4 is a video; convert it, such as by: ffmpeg -i IN.mp4 OUT.flac"),
    ],
)
def test_a_bad_sound_is_named(folder, row, said, capsys):
    write_table(folder, row)
    assert train() == 65
    assert said in capsys.readouterr().err


def test_silent_sounds_are_skipped_or_kept(folder, capsys):
    write_table(folder, *(f"bad/silent.wav,{start / 10},{start / 10 + 0.05},low" for start in range(5)))
    table = "data.train={{audio_table: {{path: sounds.csv, start: start, end: end, silent: {}}}}}"
    assert run(["inspect", "a.yaml", table.format("skip")]) == 0
    assert "train: 5 silent sounds left out" in capsys.readouterr().out
    assert run(["inspect", "a.yaml", "--read", table.format("skip")]) == 0
    assert run(["inspect", "a.yaml", "--read", table.format("keep")]) == 0
    assert "read all 17 samples" in capsys.readouterr().err
    assert run(["inspect", "a.yaml", "--read"]) == 65


@pytest.mark.parametrize(
    ("augment", "code", "said"),
    [
        ("[{background: {path: empty}}]", 66, "empty holds no sounds (.wav .flac"),
        ("[{noise: {snr: [30, 5]}}]", 2, "noise.snr must be [smallest, largest] in dB, from -120 to 120; got [30, 5]"),
    ],
)
def test_augmentations_without_sounds_or_order_are_errors(folder, augment, code, said, capsys):
    write_table(folder)
    assert train(f"augment={augment}") == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rate", "seconds", "said"),
    [
        (16_000, 0.25, "a lower sampling rate than the backbone's 16,000 Hz, such as"),
        (8_000, 1.0, "have less than half of the 1 s that the network sees"),
    ],
)
def test_what_the_network_does_not_hear_is_cautioned_about(folder, rate, seconds, said, capsys):
    write_table(folder)
    form = f"rate: {rate}, seconds: {seconds}, network: resnet20, weights: none, mels: 16"
    assert run(["inspect", "a.yaml", f"backbone={{spectrogram: {{{form}}}}}"]) == 0
    assert said in capsys.readouterr().out
