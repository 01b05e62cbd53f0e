"""Training samples that are most similar to a sample by the features of a run's network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from ftaug.data.cache_dirs import cache_folder, of_this_process
from ftaug.data.nearest import nearest
from ftaug.engine.loading.batches import batches, once
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.storage import storage_errors
from ftaug.errors import ExperimentError, FtaugError
from ftaug.interfaces.explanation import Explanation
from ftaug.runs.doctor.scan import SampleRef, data_health
from ftaug.runs.explanation.explained_model import ExplainedModel
from ftaug.runs.penultimate_features import FeatureModel, NoFeatures
from ftaug.runs.report import console
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.trained_model import TrainedModel

FEATURES_FILE = "train.npy"


@dataclass(frozen=True)
class Neighbor:
    """A training sample that is similar to another sample."""

    sample: SampleRef
    similarity: float  # cosine of the scaled features
    is_copy: bool  # whether it is a near duplicate

    @property
    def facts(self) -> dict[str, Any]:
        """The neighbor as JSON values."""
        values = {"name": self.sample.name, "label": self.sample.label, "similarity": round(self.similarity, 4)}
        return {**values, "near_duplicate": self.is_copy}


@dataclass(frozen=True)
class FeatureIndex:
    """Training samples with their features."""

    opened: TrainedModel
    network: FeatureModel
    train: DataSplit
    features: np.ndarray  # float32 (n, values); of all training samples memory-mapped

    def search(self, raws: Sequence[Any], count: int, ids: Sequence[int | None]) -> list[list[Neighbor]]:
        """Return the nearest training samples of raw samples, the most similar first; raises BadData.

        `ids` are the ids of the samples in the training dataset, which are not their own neighbors; None: not in it.
        """
        queries = np.concatenate([self.network.compute(self.opened.prepare([raw])) for raw in raws])
        positions = {int(sample): position for position, sample in enumerate(self.train.ids)}
        excluded = np.array([-1 if sample is None else positions.get(sample, -1) for sample in ids], np.int64)
        count = min(count, len(self.train) - int((excluded >= 0).any()))
        result = nearest(queries, self.features, count, excluded)
        return [
            [self._neighbor(raw, int(row), float(value)) for row, value in zip(rows, values, strict=True)]
            for raw, rows, values in zip(raws, result.rows, result.similarities, strict=True)
        ]

    def _neighbor(self, raw: Any, row: int, similarity: float) -> Neighbor:
        sample = SampleRef(self.train, row)
        try:
            is_copy = data_health(self.opened.experiment.modality).near_duplicate(raw, sample.read())
        except FtaugError:
            is_copy = False
        return Neighbor(sample, similarity, is_copy)


def index_of(opened: TrainedModel, train: DataSplit) -> FeatureIndex:
    """Compute the features of training samples in memory; raises NoFeatures, BadSample."""
    network = _network(opened)
    blocks = list(_features(opened, network, train))
    features = np.empty((len(train), blocks[0][1].shape[1]), np.float32)
    for ids, block in blocks:
        features[ids] = block
    return FeatureIndex(opened, network, train, features)


def stored_index(opened: TrainedModel) -> FeatureIndex | None:
    """Return the stored features of all training samples for these weights; None if there are none.

    Raises NoFeatures.
    """
    network, file = _network(opened), _file(opened)
    if not file.is_file():
        return None
    return FeatureIndex(opened, network, opened.splits["train"], np.load(file, mmap_mode="r"))


def store_index(opened: TrainedModel) -> FeatureIndex:
    """Compute the features of all training samples, and store them in the cache; raises as `index_of`, StorageError.

    `ftaug cache clear` removes them.
    """
    network, train, file = _network(opened), opened.splits["train"], _file(opened)
    temporary = file.with_name(of_this_process(file.name))
    stored: np.memmap[Any, Any] | None = None
    with storage_errors(f"{file}: cannot store features"):
        file.parent.mkdir(parents=True, exist_ok=True)
        for ids, features in _features(opened, network, train):
            if stored is None:
                shape = (len(train), features.shape[1])
                stored = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
            stored[ids] = features
        assert stored is not None
        stored.flush()
        temporary.replace(file)
    return FeatureIndex(opened, network, train, stored)


def open_index(opened: TrainedModel) -> FeatureIndex:
    """Return the features of all training samples, which are computed once for these weights.

    Raises ExperimentError for a network that has none, BadSample, StorageError.
    """
    try:
        return stored_index(opened) or store_index(opened)
    except NoFeatures as reason:
        raise ExperimentError(
            f"--neighbors: the network of {opened.folder} {reason}; leave it out, or explain a single fold"
        ) from None


def with_neighbors(explanations: Sequence[Explanation], index: FeatureIndex, count: int) -> list[Explanation]:
    """Add to the JSON values of explanations the training samples that are nearest to each sample."""
    results = index.search([each.raw for each in explanations], count, [None] * len(explanations))
    return [
        replace(each, facts={**each.facts, "neighbors": [neighbor.facts for neighbor in nearby]})
        for each, nearby in zip(explanations, results, strict=True)
    ]


def table(explanations: Sequence[Explanation]) -> Table:
    """Build the table of the neighbors of each sample."""
    by_name = {each.name: each.facts["neighbors"] for each in explanations}
    rows = [
        (name, neighbor["name"], neighbor["label"], neighbor["similarity"], "yes" if neighbor["near_duplicate"] else "")
        for name, neighbors in by_name.items()
        for neighbor in neighbors
    ]
    return console.table(("input", "nearest training samples", "label", "similarity", "near duplicate"), rows)


def _features(opened: TrainedModel, network: FeatureModel, split: DataSplit) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the positions of each batch of a split with their features; shows the progress on stderr."""
    data = opened.prepare_single_view(split)
    requests = once(len(split), opened.batch_size, data.sizes)
    with ProgressBar(len(split), 0, unit="sample") as progress_bar:
        for batch in batches(data, requests, opened.workers, pin=False):
            yield batch.request.ids, network.compute(batch.inputs)
            for _ in batch.request.ids:
                progress_bar.advance()
            progress_bar.status("features of training samples")


def _network(opened: TrainedModel) -> FeatureModel:
    model = ExplainedModel.of(opened)
    return FeatureModel.of(model.model, opened.stages, len(opened.task.classes), opened.device.torch)


def _file(opened: TrainedModel) -> Path:
    """Return the file of the features: its name depends on the weights, the samples, preprocessing and versions."""
    import torch

    factors = [
        ExplainedModel.of(opened).digest(),
        opened.splits["train"].fingerprint,
        opened.preprocessing,
        opened.device.torch.type,
        torch.__version__,
    ]
    digest = hashlib.sha256(json.dumps(factors, sort_keys=True, default=str).encode())
    return cache_folder() / "features" / f"neighbors-{digest.hexdigest()[:16]}" / FEATURES_FILE


def subset(train: DataSplit, positions: np.ndarray) -> DataSplit:
    """Return the samples at positions of a split."""
    return replace(train, ids=train.ids[positions], targets=train.targets[positions])
