"""Handle unreadable samples before training: raise, or skip up to a limit (`data.bad_samples`)."""

import math
from collections.abc import Mapping, Sequence

from ftaug.config.experiment import Experiment, SkipBadSamples
from ftaug.engine.loading.batches import Failure
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.build import build_model
from ftaug.errors import BadData
from ftaug.runs.data_check import Unreadable, read_each, unreadable

MOST = SkipBadSamples(0.01)
"""Maximum share of samples that `bad_samples: skip` leaves out."""


def readable(experiment: Experiment, data: Mapping[str, DataSplit]) -> Mapping[str, DataSplit]:
    """Return the data splits without unreadable samples, if the experiment skips them.

    Reads every sample once, as in evaluation; which ones are skipped depends on the data alone.
    """
    if experiment.data.bad_samples == "error":
        return data
    backbone, _ = build_model(experiment, data["train"].task)
    results = read_each(experiment, data, backbone.preprocessing)
    bad = [unreadable(split, position, result) for split, position, result in results if isinstance(result, Failure)]
    return without(experiment, data, bad)


def without(
    experiment: Experiment, data: Mapping[str, DataSplit], bad: Sequence[Unreadable]
) -> Mapping[str, DataSplit]:
    """Return the data splits without the given samples; raises BadData if they are more than the experiment allows."""
    if not bad:
        return data
    total, setting = sum(map(len, data.values())), experiment.data.bad_samples
    problems = [problem for sample in bad for problem in sample.error.problems]
    cannot = f"{len(bad):,} of {total:,} samples cannot be read"
    if setting == "error":
        raise BadData(*problems, f"{cannot}; fix or delete them, or set data.bad_samples: skip")
    allowed = (MOST if setting == "skip" else setting).skip
    if len(bad) > (allowed if isinstance(allowed, int) else allowed * total):
        most = f"{allowed:,}" if isinstance(allowed, int) else f"{100 * allowed:.3g}% of them"
        needed = f"{{skip: {math.ceil(100 * len(bad) / total)}%}}"
        text = f"{cannot}, and data.bad_samples allows {most}; fix or delete them, or set data.bad_samples: {needed}"
        raise BadData(*problems, text)
    result = {}
    for purpose, split in data.items():
        result[purpose] = split.without([sample.position for sample in bad if sample.split == purpose])
        if not len(result[purpose]):
            raise BadData(*problems, f"data.{purpose}: no sample can be read")
    return result
