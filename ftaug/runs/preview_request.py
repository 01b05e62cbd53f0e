"""Choose the samples of a preview, and augment them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.engine.loading import seeds
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.split import DataSplit, load_splits
from ftaug.errors import ExperimentError, did_you_mean
from ftaug.interfaces.preview import PreviewRequest, Row


def _of_class(split: DataSplit, name: str, count: int) -> list[int]:
    """Return the positions of the first samples of a class; raises ExperimentError."""
    if split.task.regression:
        raise ExperimentError(f"--class {name}: the targets of data.train are numbers, not classes; leave it out")
    classes = split.task.classes
    if name not in classes:
        raise ExperimentError(f"--class {name}: data.train has no class '{name}'{did_you_mean(name, classes)}")
    code = classes.index(name)
    shows = split.targets[:, code] > 0 if split.task.multi_label else split.targets == code
    return [int(place) for place in np.flatnonzero(shows)[:count]]


def _of_many_classes(split: DataSplit, count: int) -> list[int]:
    """Return positions of samples spread evenly over all classes."""
    if split.task.kind != "single_label":
        return [int(place) for place in np.unique(np.linspace(0, len(split) - 1, min(count, len(split))).astype(int))]
    by_class = [np.flatnonzero(split.targets == code) for code in np.unique(split.targets)]
    if count < len(by_class):
        by_class = [by_class[i] for i in np.linspace(0, len(by_class) - 1, count).astype(int)]
    each, rest = divmod(count, len(by_class))
    return [int(place) for i, places in enumerate(by_class) for place in places[: each + (i < rest)]]


def sample_request(
    experiment: Experiment, train: DataSplit, count: int, preprocessing: Mapping[str, Any]
) -> PreviewRequest:
    """Build the request for samples of many classes, without the effects of augmentations."""
    return _request(experiment, train, _of_many_classes(train, count), preprocessing)


def preview_request(experiment: Experiment, class_name: str | None, count: int) -> PreviewRequest:
    """Build the preview request: samples of one class or of many, effects of augmentations and cautions."""
    train = load_splits(experiment.data, experiment.seed)["train"]
    chosen = _of_class(train, class_name, count) if class_name is not None else _of_many_classes(train, count)
    verbs = modality_of(experiment)
    preprocessing = experiment.backbone(train.task.classes, experiment.input).preprocessing
    request = _request(experiment, train, chosen, preprocessing)
    effects = verbs.preview.effects(request)
    label_cautions = verbs.label_cautions(experiment.augment, train.task)
    return replace(request, effects=effects, cautions=[*label_cautions, *(e.warning for e in effects if e.warning)])


def _request(
    experiment: Experiment, train: DataSplit, chosen: Sequence[int], preprocessing: Mapping[str, Any]
) -> PreviewRequest:
    return PreviewRequest(
        title=experiment.name,
        samples=len(train),
        rows=[_row(experiment, train, place) for place in chosen],
        augment=experiment.augment,
        preprocessing=preprocessing,
        mix=experiment.mix,
        rng=seeds.generator(experiment.seed, "preview"),
    )


def _row(experiment: Experiment, train: DataSplit, place: int) -> Row:
    sample = int(train.ids[place])
    streams = partial(seeds.streams, experiment.seed, sample=sample)
    return Row(
        train.samples.read(sample), train.labels(place), streams, train.samples.name(sample), train.describe(place)
    )
