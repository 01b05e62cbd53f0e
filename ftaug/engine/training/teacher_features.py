"""The features of a teacher as targets of training samples, computed once for each of a few augmented views.

The student sees a sample as the teacher did: epochs take the stored views in turn.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from ftaug.engine.loading import sample_cache
from ftaug.engine.loading.batches import BatchRequest, batches
from ftaug.engine.training.feature_cache import Store, batches_of, cache_key, release
from ftaug.engine.training.micro_batches import device_inputs
from ftaug.engine.training.state import TrainingState
from ftaug.errors import StorageError


@dataclass(frozen=True)
class FeatureTeacher:
    """A teacher network, and the function from the student's inputs to its features: float32 (n, values)."""

    network: nn.Module
    features: Callable[[Any], np.ndarray]


@dataclass(frozen=True)
class TeacherFeatures:
    """The stored targets of all training samples."""

    values: Tensor  # float32 (views, samples, dimensions)

    def targets(self, request: BatchRequest) -> Tensor:
        """Return the targets of the samples of a request in the view of its epoch: float32 (n, dimensions)."""
        return self.values[(request.epoch or 0) % len(self.values)][torch.from_numpy(np.asarray(request.ids))]


@contextmanager
def with_teacher_features(state: TrainingState, teacher: FeatureTeacher | None) -> Iterator[TrainingState]:
    """Context manager of the training state with the teacher's features; those in memory are deleted at the end.

    The processes of a machine compute and share them. Raises StorageError.
    """
    objective, views = state.experiment.objective, state.epochs.views
    if objective is None or views is None or teacher is None:
        yield state
        return
    shape = (views, len(state.splits["train"]), int(objective.settings["dimensions"]))
    needed = 4 * shape[0] * shape[1] * shape[2]
    cache = sample_cache.choose_together(
        state.ranks, lambda: sample_cache.choose_location("objective", "auto", needed, "features")
    )
    if cache.folder is None:
        raise StorageError(f"objective: the features of the teacher need space: {cache.text}; use fewer stored_views")
    folder = cache.folder / cache_key(state, teacher.network, {"teacher": shape})
    store = Store(folder / "teacher", shape, torch.float32)
    values = store.open()
    state = replace(state, teacher_features=TeacherFeatures(values))
    try:
        for view in range(views):
            if state.ranks.any(view not in store.done):
                _fill(state, teacher, view, values[view])
                state.ranks.wait()
                if state.ranks.is_first_of_machine:
                    store.finish(view)
        yield state
    finally:
        if cache.place == "ram" and state.ranks.is_first_of_machine:
            release(folder)


def _fill(state: TrainingState, teacher: FeatureTeacher, view: int, values: Tensor) -> None:
    """Compute this process's share of the targets of a view."""
    requests = state.ranks.share_of_machine(batches_of(state, "train", view))
    for batch in batches(state.prepared("train"), requests, state.workers, pin=False):
        features = torch.from_numpy(teacher.features(device_inputs(state, batch)))
        normalized = layer_norm(features, features.shape[1:])
        targets = normalized @ _projection(features.shape[1], values.shape[1])
        values[torch.from_numpy(np.asarray(batch.request.ids))] = targets


def _projection(features: int, dimensions: int) -> Tensor:
    """Return the fixed random matrix from normalized features to targets of variance 1."""
    draws = torch.randn(features, dimensions, generator=torch.Generator().manual_seed(0))
    return draws / math.sqrt(features)
