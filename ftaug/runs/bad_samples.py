"""Samples that cannot be read, found before training, and what the experiment wants done about them."""

import math
from collections.abc import Mapping, Sequence

from ftaug.config.experiment import Experiment, SkipBadSamples
from ftaug.engine.loading.batches import Failure
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.build import build_model
from ftaug.errors import BadData
from ftaug.runs.data_check import Unreadable, read_each, unreadable

MOST = SkipBadSamples(0.01)
"""How many samples `bad_samples: skip` leaves out at most."""


def readable(experiment: Experiment, data: Mapping[str, DataSplit]) -> Mapping[str, DataSplit]:
    """The samples to train and measure on: without those that cannot be read, if the experiment skips them.

    Reads every sample once as evaluation does. The list depends on the data alone.
    """
    if experiment.data.bad_samples == "error":
        return data
    backbone, _ = build_model(experiment, data["train"].task)
    results = read_each(experiment, data, backbone.preprocessing)
    found = [
        unreadable(portion, position, result) for portion, position, result in results if isinstance(result, Failure)
    ]
    return without(experiment, data, found)


def without(
    experiment: Experiment, data: Mapping[str, DataSplit], found: Sequence[Unreadable]
) -> Mapping[str, DataSplit]:
    """The samples without those that cannot be read; raises BadData where these are more than the experiment allows."""
    if not found:
        return data
    total, setting = sum(map(len, data.values())), experiment.data.bad_samples
    problems = [problem for one in found for problem in one.error.problems]
    cannot = f"{len(found):,} of {total:,} samples cannot be read"
    if setting == "error":
        raise BadData(*problems, f"{cannot}; fix or delete them, or set data.bad_samples: skip")
    allowed = (MOST if setting == "skip" else setting).skip
    if len(found) > (allowed if isinstance(allowed, int) else allowed * total):
        most = f"{allowed:,}" if isinstance(allowed, int) else f"{100 * allowed:.3g}% of them"
        needed = f"{{skip: {math.ceil(100 * len(found) / total)}%}}"
        text = f"{cannot}, and data.bad_samples allows {most}; fix or delete them, or set data.bad_samples: {needed}"
        raise BadData(*problems, text)
    result = {}
    for purpose, portion in data.items():
        result[purpose] = portion.without([one.position for one in found if one.split == purpose])
        if not len(result[purpose]):
            raise BadData(*problems, f"data.{purpose}: no sample can be read")
    return result
