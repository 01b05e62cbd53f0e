"""The cost of a backbone."""

import pytest
import torch

from ftaug.components.exporters import timing
from ftaug.engine.loading.split import load_splits
from ftaug.experiment_file import load
from ftaug.runs.backbone_choice import cost

CONFIG = "data: {train: {digits: {per_class: 2}}, val: null, workers: 0}\nbackbone: resnet20\n"


def test_megabytes_license_and_time(write, monkeypatch):
    threads = []

    def best(calls):
        calls[0]()
        threads.append(torch.get_num_threads())
        return [32.0]

    monkeypatch.setattr(timing, "best", best)
    torch.set_num_threads(2)
    try:
        experiment = load(write(CONFIG))
        result = cost.measure(experiment, load_splits(experiment.data, 0)["train"], "cpu")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert threads == [1]
    # He et al. 2016: 0.27 million parameters
    assert result.megabytes == pytest.approx(0.27 * 4, abs=0.02)
    assert result.milliseconds == 32.0 / cost.SAMPLES
    assert result.license == "Apache-2.0"
    untrained = load(write(CONFIG), ["backbone={resnet20: {weights: none}}"])
    assert cost.measure(untrained, load_splits(untrained.data, 0)["train"], "cpu").license is None
