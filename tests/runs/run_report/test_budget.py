import pytest
from reported import opened

from ftaug.runs.run_report import budget


def test_the_budget_is_divided_by_the_operations_of_a_sample(monkeypatch):
    model = opened("colors")
    raw = model.splits["val"].samples.read(0)
    monkeypatch.setattr(budget, "BUDGET", {"cpu": 1e12})
    passes = budget.forward_passes(model, raw)
    assert 1e12 / passes / 2 == pytest.approx(40.6e6, rel=0.02)  # ResNet-20: 40.6 million multiply-adds
