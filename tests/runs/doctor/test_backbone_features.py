"""Features are what the layer before the head gives."""

import numpy as np
import torch
from doctor_data import scanned

from ftaug.engine.training.build import build_model
from ftaug.experiment_file import load
from ftaug.runs.doctor.backbone_features import backbone_features


def test_the_head_on_the_features_gives_the_logits(write):
    config = write(
        "data: {train: {digits: {per_class: 5}}, val: null, workers: 0, batch_size: 16}\n"
        "backbone: {resnet20: {weights: none}}\nunfreeze: [all]\n"
    )
    experiment = load(config)
    split = scanned(config).splits["train"]
    features = backbone_features(experiment, {"train": split}, "cpu")["train"]
    assert features.shape == (50, 64)
    backbone, model = build_model(experiment, split.task)
    from ftaug.engine.loading.batches import BatchRequest
    from ftaug.engine.loading.prepare import prepare_split

    batch = prepare_split(experiment, split, (), backbone.preprocessing)[BatchRequest(np.arange(50), None, 0, 0, 1.0)]
    with torch.inference_mode():
        expected = model.eval()(batch.inputs)
        head = [module for module in model.network.modules() if isinstance(module, torch.nn.Linear)][-1]
        assert torch.allclose(head(torch.from_numpy(features)), expected, atol=1e-4)
