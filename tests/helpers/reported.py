"""Runs that sections of a report are computed from: made predictions on samples of small trained runs."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
from run_files import noise

from ftaug.cli import run
from ftaug.engine.loading.split import whole
from ftaug.interfaces.data import Task
from ftaug.runs.compared_runs import RunSettings
from ftaug.runs.open_run import open_run
from ftaug.runs.run_report.reported_run import ReportedRun
from ftaug.statistics.records import Records

CLASSES = ("blue", "green", "red")
COLORS = """
data:
  train: {{image_folder: {{path: {root}/photos}}}}
  val: {{split: 30%}}
  batch_size: 16
  workers: 0
backbone: {{resnet20: {{weights: none}}}}
augment: [{{rotate: {{degrees: 10}}}}, {{brightness: {{strength: 0}}}}, {{torchvision.RandomInvert: {{p: 0.5}}}}]
train: {{epochs: 1, precision: fp32}}
lr: {{peak: 5e-3}}
"""
TEXTS = """
modality: text
data: {{train: {{text_table: {{path: {root}/train.csv}}}}, val: {{text_table: {{path: {root}/train.csv}}}},
  batch_size: 16, workers: 0}}
backbone: {{tiny_text: {{weights: none, max_length: 24}}}}
augment: [{{delete: {{share: 0.2}}}}]
lr: {{peak: 1e-3, schedule: constant}}
train: {{epochs: 1, precision: fp32}}
"""
FOLDERS = []


class Samples:
    """Samples in memory."""

    groups = None
    fingerprint = "made"
    notes = ()

    def __init__(self, task, raw, targets, names=None):
        self.task, self.raw, self.targets = task, raw, np.asarray(targets)
        self.names = names or [f"folder/{number}.png" for number in range(len(raw))]

    def __len__(self):
        return len(self.raw)

    def read(self, index):
        return self.raw[index]

    def name(self, index):
        return self.names[index]


@cache
def small_run(kind):
    """Train a small run once, `colors` or `texts`; return its folder."""
    folder = TemporaryDirectory()
    FOLDERS.append(folder)  # deleted when the process ends
    root = Path(folder.name)
    if kind == "colors":
        for channel, name in enumerate(reversed(CLASSES)):
            (root / "photos" / name).mkdir(parents=True)
            for number in range(10):
                noise(channel, seed=100 * channel + number).save(root / "photos" / name / f"{number}.png")
    else:
        rows = [f"a {word} list of {n} names,{word}" for n in range(6) for word in ("short", "long")]
        (root / "train.csv").write_text("\n".join(["text,label", *rows]))
    (root / "experiment.yaml").write_text({"colors": COLORS, "texts": TEXTS}[kind].format(root=root))
    assert run(["train", str(root / "experiment.yaml"), "--run-dir", str(root / "run"), "--device", "cpu"]) == 0
    return root / "run"


@cache
def opened(kind):
    return open_run(small_run(kind), "cpu")


def reported(model, split, predictions):
    """The run of a model with these predictions on a split."""
    records = Records(split.task, np.asarray(predictions), split.targets)
    settings = RunSettings(Path("run"), split.task, {}, "0", is_folds=False)
    return ReportedRun(
        settings,
        split.purpose,
        records,
        [*split.names()],
        {},
        {},
        (),
        lambda: model.experiment,
        lambda: model,
        lambda: split,
    )


def reported_on(predictions, targets, *, raw=None, modality="image", names=None, **task):
    """A run with these predictions on samples in memory, without a network."""
    task = Task(task.pop("classes", ("cat", "dog", "fox")), **task)
    raw = raw or [np.full((8, 8, 3), number % 256, np.uint8) for number in range(len(targets))]
    split = whole("test", Samples(task, raw, targets, names), task)
    model = SimpleNamespace(experiment=SimpleNamespace(modality=modality))
    return reported(model, split, predictions)


def reported_split(kind, predictions=None, purpose="val"):
    """A small trained run, by default with wrong predictions of all samples of a split."""
    model = opened(kind)
    split = model.splits[purpose]
    if predictions is None:
        predictions = np.full((len(split), len(split.task.classes)), 0.1)
        predictions[np.arange(len(split)), (split.targets + 1) % len(split.task.classes)] = 0.8
    return reported(model, split, predictions)
