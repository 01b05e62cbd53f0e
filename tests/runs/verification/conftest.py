"""A run folder as training writes it, without training."""

import hashlib
import json

import numpy as np
import pytest
import torch

from ftaug.engine.system import checkpoint
from ftaug.engine.system.run_folder import RunFolder

RESOLVED = "data:\n  train:\n    digits: {}\n  val:\n    split: 0.25\nseed: 0\n"
SAMPLES = "split,key,sample,target\ntrain,a,,0\nval,b,,1\ntrain (cannot be read),c,,1\ntrain,d,,0\n"
MODEL = {
    "classes": ["0", "1"],
    "multi_label": False,
    "activation": "softmax",
    "preprocessing": {},
    "class_counts": [1, 1],
    "data": {"train": "abc", "val": "abc"},
}


def fingerprint(*ids):
    return hashlib.sha256(b"abc" + np.array(ids, np.int64).tobytes()).hexdigest()


def save(folder, step, accuracy):
    folder.append_metrics({"step": step, "epoch": step / 4, "loss": 1.5, "lr": 0.1, "samples": 8})
    folder.append_metrics({"step": step, "epoch": step / 4, "val": {"loss": 1.0, "accuracy": accuracy}})
    state = {
        "digest": folder.digest,
        "metrics": folder.metrics_text(),
        "data": {"train": fingerprint(0, 3), "val": fingerprint(1)},
    }
    checkpoint.save(folder.checkpoints, step, {"model": {"w": torch.full((3,), float(step))}}, state)
    folder.set_best(step)


@pytest.fixture
def stopped(tmp_path):
    """A run that was stopped after steps 4 and 8."""
    with RunFolder.open(tmp_path / "run", experiment_yaml="a: 1\n", resolved_yaml=RESOLVED, digest="0123") as folder:
        folder.write("samples.csv", SAMPLES)
        folder.write("model.json", json.dumps(MODEL))
        save(folder, 4, 0.5)
        save(folder, 8, 0.75)
    status = json.loads((folder.path / "status.json").read_text())
    (folder.path / "status.json").write_text(json.dumps({**status, "exit_code": 75}))
    return folder.path


@pytest.fixture
def complete(stopped):
    """The same run, continued to its end."""
    with RunFolder.open(stopped, experiment_yaml="a: 1\n", resolved_yaml=RESOLVED, digest="0123") as folder:
        folder.finish(8, {"step": 8, "metrics": {"loss": 1.0, "accuracy": 0.75}})
    return stopped
