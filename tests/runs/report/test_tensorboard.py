"""TensorBoard's event files hold what metrics.jsonl holds."""

import json
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ftaug.cli import run

EXPERIMENT = """
data: {train: {digits: {per_class: 2}}, val: {digits: {per_class: 1}}, batch_size: 10, workers: 0}
backbone: {resnet20: {weights: none}}
train: {epochs: 2, tensorboard: true}
"""


def test_rows_are_scalars(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.yaml").write_text(EXPERIMENT)
    assert run(["train", str(tmp_path / "a.yaml"), "--run-dir", str(tmp_path / "run")]) == 0
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    losses = [(event.step, event.value) for event in events.Scalars("train/loss")]
    assert losses == [(row["step"], pytest.approx(row["loss"])) for row in rows if "loss" in row]
    accuracies = [event.value for event in events.Scalars("val/accuracy")]
    assert accuracies == pytest.approx([row["val"]["accuracy"] for row in rows if "val" in row])
