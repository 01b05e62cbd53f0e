"""The embedded network: its weights, stages and license; padding and the rest of a batch change no answer."""

import numpy as np
import pytest
import torch
from safetensors import safe_open
from sounds import augmentation, clip, noise

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.backbones import tiny_audio as module
from ftaug.audio.backbones.tiny_audio import WORDS, tiny_audio
from ftaug.audio.datasets.spoken import spoken, spoken_words
from ftaug.audio.log_mel import LogMel
from ftaug.audio.samples import collate
from ftaug.cli import run
from ftaug.config.experiment import WEIGHTS_INPUT
from ftaug.errors import MissingInput
from ftaug.weights import described


def built(classes=("a", "b"), **settings):
    return augmentation("tiny_audio", "backbone", **settings)(classes, WEIGHTS_INPUT)


def test_every_parameter_is_in_one_stage_and_the_head_is_last():
    backbone = built()
    for name, parameter in backbone.network.named_parameters():
        assert [stage.name for stage in backbone.stages if stage.holds(name)] != []
        if backbone.stages[-1].holds(name):
            assert parameter.shape[0] == 2
    counts = [sum(stage.holds(name) for stage in backbone.stages) for name, _ in backbone.network.named_parameters()]
    assert {*counts} == {1}


def test_weights_are_small_finite_and_loaded_but_for_the_head():
    assert WORDS.stat().st_size < 1_000_000
    backbone = built()
    head = backbone.network.fc.weight.clone()
    backbone.load_pretrained()
    assert backbone.facts == {"weights": "words", "license": "Apache-2.0"}
    torch.testing.assert_close(backbone.network.fc.weight, head)
    with safe_open(WORDS, "pt") as file:
        torch.testing.assert_close(backbone.network.conv1.weight, file.get_tensor("conv1.weight").float())
        classes = described(file.metadata())["classes"]
    assert classes == list(spoken_words("train").task.classes) and not {*classes} & {*spoken("train").task.classes}


def test_the_weights_know_words_of_voices_that_they_were_not_trained_on():
    samples = spoken_words("test")
    backbone = tiny_audio(samples.task.classes, windows=1)
    backbone.load_pretrained()
    pipeline, normalizer = Pipeline((), dict(backbone.preprocessing)), LogMel(backbone.preprocessing)
    rows = range(0, len(samples), 23)
    packed = collate([pipeline.packed(samples.read(index), None)[0] for index in rows])
    with torch.inference_mode():
        predicted = backbone.network.eval()(normalizer(packed)).argmax(1).numpy()
    assert np.mean(predicted == samples.targets[::23]) > 0.5


def test_says_that_weights_are_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "WORDS", tmp_path / "tiny_audio_words.safetensors")
    with pytest.raises(
        MissingInput, match=r"lacks tiny_audio_words.safetensors: install it again, or set weights: none"
    ):
        built().load_pretrained()


def test_a_sound_alone_has_the_logits_that_it_has_in_a_batch():
    backbone = built(seconds=0.7, windows=3)
    backbone.load_pretrained()
    network = torch.nn.Sequential(LogMel(backbone.preprocessing), backbone.network).eval()
    pipeline = Pipeline((), dict(backbone.preprocessing))
    packed = [pipeline.packed(clip(noise(seconds)), None)[0] for seconds in (0.2, 1.5)]
    with torch.inference_mode():
        together = network(collate(packed))
        alone = torch.cat([network(collate([each])) for each in packed])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{weights: letters}", "backbone.tiny_audio.weights must be words, none or a file; got letters"),
        ("{seconds: 100}", "backbone.tiny_audio.seconds must be seconds from 0.1 to 60; got 100"),
        ("{mels: 64}", "unknown key 'mels'"),
    ],
)
def test_says_what_is_wrong(tmp_path, monkeypatch, capsys, settings, said):
    monkeypatch.chdir(tmp_path)
    text = f"modality: audio\ndata: {{train: spoken}}\nbackbone: {{tiny_audio: {settings}}}\n"
    (tmp_path / "a.yaml").write_text(text)
    assert run(["validate", "a.yaml"]) == 2
    err = capsys.readouterr().err
    assert said in err and len(err.splitlines()) == 1
