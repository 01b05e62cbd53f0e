"""`ftaug choose` on small data."""

import json

import pytest

from ftaug.cli import run

CONFIG = """
data: {train: {digits: {per_class: 20}}, val: {split: 50%}, workers: 0}
backbone: resnet20
"""
AMONG = "resnet20,{resnet20: {weights: none}}"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))


def test_pretrained_weights_are_chosen(write, capsys):
    config = str(write(CONFIG))
    assert run(["choose", config, "--among", AMONG, "--json"]) == 0
    choice = json.loads(capsys.readouterr().out)
    assert choice["chosen"] == "resnet20"
    pretrained, untrained = choice["backbones"]
    assert pretrained["linear_probe"]["value"] > 0.9 > untrained["linear_probe"]["value"]
    assert pretrained["from_best"] is None
    assert untrained["from_best"]["high"] < 0
    assert (pretrained["license"], untrained["license"]) == ("Apache-2.0", None)

    assert run(["choose", config, "--among", AMONG]) == 0
    text = capsys.readouterr()
    assert text.out.splitlines()[-1] == "backbone: resnet20"
    assert "no pretrained weights" in text.out
    assert max(map(len, text.out.splitlines())) <= 100


def test_weights_that_are_missing(write, capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(write("").parent))
    assert run(["choose", str(write(CONFIG)), "--among", "resnet20,squeezenet1_1,shufflenet_v2_x0_5"]) == 66
    errors = capsys.readouterr().err
    assert "cannot download https://download.pytorch.org/models/squeezenet1_1" in errors
    assert "cannot download https://download.pytorch.org/models/shufflenetv2" in errors
