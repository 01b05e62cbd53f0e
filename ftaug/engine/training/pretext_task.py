"""The task of a network that is trained by an objective without labels: its outputs, and the targets of the samples."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Task

MAX_SAMPLES = 50_000
"""Number of samples up to which the head has an output for each."""


def with_pretext_task(experiment: Experiment, splits: Mapping[str, DataSplit]) -> Mapping[str, DataSplit]:
    """Return the splits with the outputs of the objective as classes, if it has any; raises ExperimentError.

    The target of a sample is its position where each has an output, and 0 where the outputs are an embedding.
    """
    objective, train = experiment.objective, splits["train"]
    outputs = None if objective is None else objective.fact("outputs")
    if objective is None or outputs is None:
        return splits
    if outputs == "samples":
        if len(train) > MAX_SAMPLES:
            raise ExperimentError(
                f"objective: {objective.name} is for up to {MAX_SAMPLES:,} samples, and data.train has {len(train):,}; "
                "use vicreg or simclr"
            )
        names, targets = [f"sample {index}" for index in range(len(train))], np.arange(len(train))
    else:
        names = [f"value {index}" for index in range(int(objective.settings[outputs]))]
        targets = np.zeros(len(train), np.int64)
    return {**splits, "train": replace(train, task=Task(tuple(names)), targets=targets, soft_targets=None)}
