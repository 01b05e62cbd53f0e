"""Networks for pictures on spectrograms: their size, their weights, and names that are none."""

import pytest
import torch
from sounds import augmentation, preprocessing

from ftaug.audio.log_mel import LogMel
from ftaug.audio.packed import HEADER
from ftaug.cli import run
from ftaug.config.experiment import WEIGHTS_INPUT


def built(**settings):
    return augmentation("spectrogram", "backbone", **settings)(("a", "b"), WEIGHTS_INPUT)


def test_has_the_stages_and_the_weights_of_the_network():
    backbone = built(network="resnet20", mels=32, seconds=0.5)
    backbone.load_pretrained()
    assert [stage.name for stage in backbone.stages] == ["stem", "layer1", "layer2", "layer3", "head"]
    assert backbone.facts["weights"] == "letters"
    assert backbone.preprocessing == preprocessing(0.5, windows=3)
    assert backbone.preprocessing["size"] == [32, 48]
    features = LogMel(backbone.preprocessing)(torch.zeros(2, HEADER + 8000))
    assert backbone.network.eval()(features).shape == (2, 2)
    assert backbone.save is None and backbone.construction is None


def test_networks_of_one_size_are_built_for_the_spectrogram():
    pytest.importorskip("timm")
    backbone = built(network="timm/vit_tiny_patch16_224", weights="none", mels=64, seconds=0.975)
    assert backbone.preprocessing["size"] == [64, 96]
    assert backbone.network.eval()(torch.zeros(1, 3, 64, 96)).shape == (1, 2)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{network: resnet81}", "a.yaml:3:35: no backbone 'resnet81'; did you mean 'resnet18'?"),
        (
            "{network: resnet20, weights: imagenet}",
            "backbone.spectrogram.weights must be letters, none or a file; got imagenet",
        ),
        ("{network: resnet20, seconds: 0.01}", "seconds from 0.1 to 60"),
        ("{}", "missing key 'network'"),
    ],
)
def test_says_what_is_wrong(tmp_path, monkeypatch, capsys, settings, said):
    monkeypatch.chdir(tmp_path)
    text = f"modality: audio\ndata: {{train: instruments}}\nbackbone: {{spectrogram: {settings}}}\n"
    (tmp_path / "a.yaml").write_text(text)
    code = run(["validate", "a.yaml"])
    assert code == 2
    err = capsys.readouterr().err
    assert said in err and len(err.splitlines()) == 1
