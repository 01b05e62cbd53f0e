"""The modality as a whole: commands from training to an export, and what must not change an answer."""

import hashlib
import json
import re

import cv2
import numpy as np
import pytest
import soundfile
import torch
from sounds import RATE, augmentation, clip, noise, preprocessing, streams, tone, write_classes

import ftaug
from ftaug.audio import samples
from ftaug.audio.clip import Recording
from ftaug.cli import run
from ftaug.errors import BadData, ExperimentError, MissingInput

EXPERIMENT = """
modality: audio
data:
  train: {audio_folder: {path: tones}}
  val: {split: 30%}
  batch_size: 6
  workers: 0
backbone: {spectrogram: {network: resnet20, weights: none, seconds: 0.25, windows: 2, rate: 8000, mels: 16}}
augment: [{shift: {seconds: 0.05}}, speed, gain, noise, room, time_mask, frequency_mask]
mix: mixup
train: {epochs: 2}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with an experiment and the run that it was trained in."""
    folder = tmp_path_factory.mktemp("sounds")
    write_classes(folder / "tones", seconds=0.5, count=5)
    (folder / "a.yaml").write_text(EXPERIMENT)
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        assert run(["train", "a.yaml", "--run-dir", "run", "--no-report"]) == 0
    return folder


@pytest.fixture(autouse=True)
def there(place, monkeypatch):
    monkeypatch.chdir(place)


def digest(run_folder):
    return hashlib.sha256((run_folder / "best" / "model.safetensors").read_bytes()).hexdigest()


def test_workers_do_not_change_the_weights(place, capsys):
    assert run(["train", "a.yaml", "--run-dir", "workers", "--no-report", "data.workers=2"]) == 0, (
        capsys.readouterr().err
    )
    assert digest(place / "workers") == digest(place / "run")


def test_evaluates_predicts_and_explains(place, capsys):
    assert run(["evaluate", "run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["samples"] == 4
    assert run(["predict", "run", "tones/low", "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 5
    assert run(["explain", "run", "tones/low/0.wav", "--method", "grad_cam", "-o", "a.json"]) == 0
    (explained,) = json.loads((place / "a.json").read_text())["explanations"]
    assert explained["seconds"] == [0.125, 0.375]
    assert explained["hertz"][-1] <= 4000


def test_predicts_parts_as_the_same_parts_in_files(place, capsys):
    """A recording of two sounds, one after the other, is told as these two are."""
    waves = [soundfile.read(f"tones/{name}/0.wav", dtype="float32")[0][:2000] for name in ("low", "high")]
    for name, wave in {"both": np.concatenate(waves), "low": waves[0], "high": waves[1]}.items():
        soundfile.write(f"{name}.wav", wave, 8000, "FLOAT")
    assert run(["predict", "run", "both.wav", "--every", "0.25", "--json"]) == 0
    parts = json.loads(capsys.readouterr().out)
    assert [part["input"] for part in parts] == ["both.wav[0:0.25]", "both.wav[0.25:0.5]"]
    assert run(["predict", "run", "low.wav", "high.wav", "--json"]) == 0
    assert [part["predictions"] for part in parts] == [
        each["predictions"] for each in json.loads(capsys.readouterr().out)
    ]


def test_inspects_and_reads_all(capsys):
    assert run(["inspect", "a.yaml", "--read"]) == 0
    assert "8000 Hz, 0.25 s, 16 mels × 23 frames (kaldi); in evaluation 2 windows averaged" in capsys.readouterr().out


def test_writes_augmented_sounds_that_read_back(place, capsys):
    assert run(["augment", "a.yaml", "--output", "copies", "augment=[speed,gain]"]) == 0, capsys.readouterr().err
    files = sorted((place / "copies").rglob("*.wav"))
    assert len(files) == 11
    assert soundfile.info(files[0]).samplerate == 8000
    assert run(["augment", "a.yaml", "--output", "others"]) == 2
    said = capsys.readouterr().err
    assert "augment: time_mask, frequency_mask: spectrograms are not written, and so no masks; add '~augment" in said
    assert not (place / "others").exists(), "it is refused before anything is written"
    without = re.findall(r"'(~augment\.\d)'", said)
    assert len(without) == 2
    assert run(["augment", "a.yaml", "--output", "others", *without]) == 0


def test_replays_a_step_with_a_picture_of_what_the_model_saw(place, capsys):
    diverging = ["augment=[shift,time_mask]", "optimizer={sgd: {}}", "lr.peak=1e30", "--run-dir", "diverged"]
    assert run(["train", "a.yaml", *diverging]) == 3
    assert run(["replay", "diverged", "--output", "step.png"]) == 0, capsys.readouterr().err
    sheet = cv2.imread(str(place / "step.png"))
    assert sheet.shape[0] > 100 and len(np.unique(sheet.reshape(-1, 3), axis=0)) > 100


def test_an_export_takes_waveforms_of_any_length(place, capsys):
    assert run(["export", "run", "--format", "torch_export"]) == 0, capsys.readouterr().err
    (file,) = (place / "run" / "exports").rglob("*.pt2")
    exported = torch.export.load(file).module()
    wave, _ = soundfile.read(place / "tones" / "high" / "1.wav", dtype="float32")
    probabilities, _ = exported(torch.from_numpy(wave)[None], torch.tensor([len(wave)]))
    expected = ftaug.open_run("run").predict_files(["tones/high/1.wav"])
    np.testing.assert_allclose(probabilities.detach().numpy(), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (noise(), "must be a pair"),
        ((np.zeros((1, 2, 3), np.float32), RATE), "float in -1…1"),
        ((np.zeros(9, np.uint8), RATE), "float in -1…1"),
        ((noise(), 0.5), "whole number of Hz"),
    ],
)
def test_says_what_a_sound_in_memory_must_be(value, said):
    with pytest.raises(BadData) as caught:
        samples.as_raw(value, augmentation("instruments", "dataset"))
    assert said in str(caught.value)


def test_takes_sounds_in_memory():
    raw = samples.as_raw((tone(), RATE), augmentation("instruments", "dataset"))
    pipeline = samples.pipeline((), preprocessing())
    assert samples.prepare(raw, pipeline, None)[0].shape[0] == 1


def test_what_is_written_is_what_training_hears():
    pipeline = samples.pipeline((augmentation("speed"), augmentation("gain")), preprocessing(0.5))
    recording, applied = samples.augmented(clip(noise(0.4)), pipeline, streams(), ("a",))
    part, _, _ = pipeline.drawn(clip(noise(0.4)), streams())
    np.testing.assert_array_equal(recording.wave, part.wave[part.begin : part.end])
    assert set(applied.values) == {"speed", "gain"}
    assert samples.encode(recording)[1] == ".wav"
    assert samples.canonical(recording) != samples.canonical(Recording(recording.wave, 8000))


def test_what_is_not_there_is_said():
    pipeline = samples.pipeline((augmentation("background", path="none"),), preprocessing())
    with pytest.raises(MissingInput, match=r"background\.path: no folder"):
        samples.check_pipeline(pipeline)
    with pytest.raises(ExperimentError, match="takes a sampling rate of 16000 Hz, this model 8000; set them alike"):
        samples.translator(preprocessing(rate=8000), preprocessing())


def test_batches_are_windows():
    rows = [np.full((2, 3), value, np.float32) for value in (1, 2)]
    batch = samples.collate(rows)
    assert batch.shape == (4, 3)
    assert samples.selected(samples.concatenated([batch, batch]), slice(3, 5)).tolist() == [[2] * 3, [1] * 3]
