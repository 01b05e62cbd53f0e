"""Run folders as `ftaug train` and `ftaug evaluate` leave them, without a model: settings, task and records."""

import json
from dataclasses import dataclass

import numpy as np

from ftaug.engine.loading.split import DataSplit
from ftaug.runs.sample_records import path_of, to_csv


@dataclass
class Numbered:
    """Samples with numbers as keys."""

    count: int
    start: int = 0

    def __len__(self):
        return self.count

    def name(self, index):
        return f"picture {self.start + index}"


def write_run(folder, records, *, seed=0, best="accuracy", split="test", start=0, fingerprint="abc", **settings):
    """Write a run folder with the records of the samples `start` and following."""
    task = records.task
    (folder / "report").mkdir(parents=True)
    tree = {"seed": seed, "name": folder.name, "evaluate": {"best": best, "metrics": ["accuracy"]}, **settings}
    (folder / "resolved.yaml").write_text(json.dumps(tree))
    facts = {
        "classes": list(task.classes),
        "multi_label": task.multi_label,
        "regression": task.regression,
        "activation": "softmax",
        "preprocessing": {},
        "class_counts": [1] * len(task.classes),
        "data": {"train": fingerprint, "test": fingerprint},
    }
    (folder / "model.json").write_text(json.dumps(facts))
    n = len(records)
    data = DataSplit(split, Numbered(n, start), np.arange(n), records.targets, task)
    path_of(folder, split).write_bytes(to_csv(data, records, {}))
    return folder
