"""Features are what the layer before the head gives."""

import numpy as np
import pytest
import torch
from doctor_data import scanned

from ftaug.engine.training.build import build_model
from ftaug.experiment_file import load
from ftaug.runs.doctor import backbone_features as module
from ftaug.runs.doctor.backbone_features import backbone_features

CONFIG = """
data: {train: {digits: {per_class: 5}}, val: null, workers: 0, batch_size: 16}
backbone: {resnet20: {weights: none}}
unfreeze: [all]
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches" / "ftaug" / "features"


def test_the_head_on_the_features_gives_the_logits(write):
    config = write(CONFIG)
    experiment = load(config)
    scan = scanned(config)
    split = scan.splits["train"]
    features = backbone_features(experiment, scan, "cpu")
    assert features.shape == (50, 64)
    backbone, model = build_model(experiment, split.task)
    from ftaug.engine.loading.batches import BatchRequest
    from ftaug.engine.loading.prepare import prepare_split

    batch = prepare_split(experiment, split, (), backbone.preprocessing)[BatchRequest(np.arange(50), None, 0, 0, 1.0)]
    with torch.inference_mode():
        expected = model.eval()(batch.inputs)
        head = [module for module in model.network.modules() if isinstance(module, torch.nn.Linear)][-1]
        assert torch.allclose(head(torch.from_numpy(features)), expected, atol=1e-4)


def test_a_second_call_reads_them_from_disk(write, monkeypatch):
    config = write(CONFIG)
    experiment, scan = load(config), scanned(config)
    computed = backbone_features(experiment, scan, "cpu")
    monkeypatch.setattr(module, "batches", None)  # nothing is computed
    assert np.array_equal(backbone_features(experiment, scan, "cpu"), computed)
    scan.digests[7] = b"another sample"
    with pytest.raises(TypeError):
        backbone_features(experiment, scan, "cpu")
    with pytest.raises(TypeError):
        backbone_features(load(config, ["seed=1"]), scanned(config), "cpu")  # other random weights


def test_damaged_or_unwritable_files_change_nothing(write, cache, capsys):
    config = write(CONFIG)
    experiment, scan = load(config), scanned(config)
    computed = backbone_features(experiment, scan, "cpu")
    (file,) = cache.glob("*/doctor.npy")
    file.write_bytes(file.read_bytes()[:1000])
    assert np.array_equal(backbone_features(experiment, scan, "cpu"), computed)
    for folder in (file.parent, cache):
        for path in folder.iterdir():
            path.unlink() if path.is_file() else path.rmdir()
    cache.rmdir()
    cache.write_bytes(b"")
    assert np.array_equal(backbone_features(experiment, scan, "cpu"), computed)
    assert "the features are not stored for the next call: " in capsys.readouterr().err
