"""The samples of training steps, recomputed from an experiment: their order, and their augmented values."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ftaug.engine.loading.prepare import (
    prepare_split,
    sizes_of,
    training_sampler,
    with_views,
)
from ftaug.engine.system.run_files import MODEL_FILE, PLUGINS_FOLDER, read_json
from ftaug.engine.training.pretext_task import with_pretext_task
from ftaug.runs.trained_model import load_experiment, recorded_data


@dataclass(frozen=True)
class StepSample:
    """A sample of a step: its name, its target, and the hash of its augmented values."""

    name: str
    target: str
    digest: str


class StepSamples:
    """The training samples of a run by step, as a function of its experiment; raises BadData, MissingInput."""

    def __init__(self, run: Path, *, trust_plugins: bool = False) -> None:
        self.experiment = load_experiment(run, trust_plugins=trust_plugins)
        facts: Mapping[str, Any] = read_json(run / MODEL_FILE) or {}
        self.split = with_pretext_task(self.experiment, recorded_data(run, self.experiment))["train"]
        preprocessing = facts["preprocessing"]
        data = prepare_split(self.experiment, self.split, self.experiment.augment, preprocessing)
        self.data = with_views(data, self.experiment, preprocessing)
        sizes = sizes_of(self.experiment, self.split, preprocessing)
        self.epochs = training_sampler(self.experiment, self.split, sizes)

    def of(self, step: int) -> list[StepSample]:
        """Return the samples of a step (from 1) with their targets and the hash of their augmented values."""
        result = []
        for request in self.epochs.requests(step - 1, step):
            for place, position in enumerate(request.ids.tolist()):
                epoch = request.epoch if request.rounds is None else int(request.rounds[place])
                views, target = self.data.sample(position, epoch)
                digest = sha256(b"".join(f"{view.dtype.str}{view.shape}".encode() + view.tobytes() for view in views))
                label = self.split.describe(position) if target is None else str(target.tolist())
                name = self.split.samples.name(int(self.split.ids[position]))
                result.append(StepSample(name, label, digest.hexdigest()))
        return result


def samples_of(run: Path, steps: range, trust_plugins: bool) -> list[list[StepSample]]:
    """Return the samples of some steps of a run, in the order of training; raises BadData, MissingInput."""
    samples = StepSamples(run, trust_plugins=trust_plugins)
    return [samples.of(step) for step in steps]


def samples_of_both(first: Path, second: Path, steps: range, *, trust_plugins: bool) -> list[list[list[StepSample]]]:
    """Return the samples of some steps of two runs, whose plugins may register components of the same names."""
    if all((run / PLUGINS_FOLDER).is_dir() for run in (first, second)):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            later = pool.submit(samples_of, second, steps, trust_plugins)
            return [samples_of(first, steps, trust_plugins), later.result()]
    return [samples_of(run, steps, trust_plugins) for run in (first, second)]
