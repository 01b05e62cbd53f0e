"""Cache the features of the frozen layers: the prefix runs once per sample and view, epochs train only the rest.

Features are computed in the batches that training would use in that epoch, so that computing them again, after a kill
or in another run, gives the same bits.
"""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.config.dump import to_plain
from ftaug.config.experiment import CacheFeatures
from ftaug.engine.loading import sample_cache, seeds
from ftaug.engine.loading.batches import Batch, BatchRequest, Failure, PreparedDataset, Source, batches, once
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.sample_cache import Cache
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.device import Device
from ftaug.engine.system.rounds import Rounds
from ftaug.engine.system.storage import storage_errors
from ftaug.engine.training.micro_batches import device_inputs
from ftaug.engine.training.split_network import SplitNetwork, cut, rebind
from ftaug.engine.training.state import Model, TrainingState
from ftaug.errors import ExperimentError, StorageError
from ftaug.interfaces.model import CannotCut

STORED = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


SHARED = 4
"""Number of feature caches in memory that runs of a process share."""

_shared: ContextVar[list[Path] | None] = ContextVar("shared", default=None)


@contextmanager
def shared_features() -> Iterator[None]:
    """Context manager in which runs one after another share the features in memory, the last ones that were used."""
    folders: list[Path] = []
    token = _shared.set(folders)
    try:
        yield
    finally:
        _shared.reset(token)
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def release(folder: Path) -> None:
    """Delete a cache in memory, or within `shared_features` the oldest ones."""
    folders = _shared.get()
    if folders is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    folders[:] = [*(each for each in folders if each != folder), folder]
    while len(folders) > SHARED:
        shutil.rmtree(folders.pop(0), ignore_errors=True)


class Unsuited(Exception):
    """Raised with the reason why features cannot be cached for a run."""


@dataclass(frozen=True)
class Store:
    """The features of one data split in a memory-mapped file: (views, samples, rows, *shape)."""

    path: Path
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def done(self) -> frozenset[int]:
        """The views that are complete."""
        return frozenset(int(path.suffix[1:]) for path in self.path.parent.glob(f"{self.path.name}.*"))

    def open(self) -> Tensor:
        """Memory-map the file, creating it if it is missing; raises StorageError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with storage_errors(f"{self.path}: cannot store features"), self.path.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, self.size)
        mapped = torch.from_file(str(self.path), shared=True, size=math.prod(self.shape), dtype=self.dtype)
        return mapped.view(self.shape)

    def finish(self, view: int) -> None:
        """Flush the file to disk and mark a view as complete."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.with_name(f"{self.path.name}.{view}").touch()


@dataclass(frozen=True)
class FeatureDataset:
    """A dataset of cached features, indexed by batch requests."""

    split: DataSplit
    features: Tensor  # (views, samples, rows, *shape)
    sizes: np.ndarray | None = None

    def __getitem__(self, request: BatchRequest) -> Batch:
        """Return the batch of features of a request, in the view of its epoch."""
        view = (request.epoch or 0) % len(self.features)
        rows = self.features[view][torch.from_numpy(np.asarray(request.ids))]
        is_training = request.epoch is not None
        targets = self.split.training_targets(request.ids) if is_training else self.split.targets[request.ids]
        return Batch(rows.flatten(0, 1), torch.from_numpy(targets), request)


@dataclass(frozen=True)
class Features:
    """The feature cache of a run: training and evaluation use it in place of the samples up to a step."""

    cut: SplitNetwork
    until: int  # the step at which the prefix is unfrozen
    views: int
    stores: Mapping[str, Store]  # by purpose
    datasets: Mapping[str, FeatureDataset]  # by purpose
    cache: Cache

    @property
    def text(self) -> str:
        """A human-readable summary: how much is stored where."""
        store = self.stores["train"]
        values = f"{math.prod(store.shape[2:]):,} values"
        return (
            f"{self.views} view{'s' * (self.views > 1)} of {store.shape[1]:,} samples, {values} each; {self.cache.text}"
        )


@contextmanager
def open_feature_cache(state: TrainingState, start: int) -> Iterator[Features | None]:
    """Context manager that opens the feature cache of a run from a step on, None if it needs none.

    The processes of a machine share it. A cache in memory is deleted at the end. Raises ExperimentError if the run
    cannot use one, StorageError if the space is too small, before anything is written.
    """
    settings = state.experiment.train.cache_features
    features = None
    if settings is not None:
        try:
            features = _plan_cache(state, settings if isinstance(settings, CacheFeatures) else CacheFeatures(), start)
        except (Unsuited, CannotCut) as reason:
            if settings != "auto":
                raise ExperimentError(f"train.cache_features: {reason}; leave it out") from None
    try:
        yield features
    finally:
        if features is not None and features.cache.place == "ram" and state.ranks.is_first_of_machine:
            release(features.stores["train"].path.parent)


def _plan_cache(state: TrainingState, settings: CacheFeatures, start: int) -> Features | None:
    """Split the model and open the stores of its features; None if the prefix is unfrozen already."""
    until = min([step for step in state.plan.starts if step > 0], default=state.training_length.total_steps)
    if start >= until:
        return None
    if state.experiment.train.shard:
        raise Unsuited("train.shard needs the whole network")
    data = {purpose: state.prepared(purpose) for purpose in ("train", "val") if purpose in state.splits}
    if data["train"].relabels:
        raise Unsuited("an augmentation changes the classes of samples")
    views = min(settings.views, math.ceil(until / state.training_length.epoch_steps))
    example = device_inputs(state, _load_batch(data["train"], BatchRequest(np.arange(2), 0, 0, 0, 1.0)))
    split = cut(state.model, state.plan, 0, example)
    with torch.inference_mode():
        shape = split.prefix(example).shape[1:]
    dtypes = {purpose: STORED[_device(state, purpose).precision] for purpose in data}
    shapes: dict[str, tuple[int, ...]] = {"train": (views, len(data["train"].split), 1, *shape)}
    if "val" in data:  # with test-time augmentation a sample is several rows
        rows = len(_load_batch(data["val"], BatchRequest(np.arange(1), None, 0, 0, 1.0)).inputs)
        shapes["val"] = (1, len(data["val"].split), rows, *shape)
    needed = sum(math.prod(shape) * dtypes[purpose].itemsize for purpose, shape in shapes.items())
    cache = sample_cache.choose_together(
        state.ranks,
        lambda: sample_cache.choose_location("train.cache_features.place", settings.place, needed, "features"),
    )
    if cache.folder is None:
        raise StorageError(f"train.cache_features: {cache.text}; ask for fewer views")
    folder = cache.folder / cache_key(state, split.prefix, shapes)
    stores = {purpose: Store(folder / purpose, shapes[purpose], dtypes[purpose]) for purpose in data}
    datasets = {purpose: FeatureDataset(data[purpose].split, store.open()) for purpose, store in stores.items()}
    return Features(split, until, views, stores, datasets, cache)


def _device(state: TrainingState, purpose: str) -> Device:
    """Return the device and precision to compute features in: those of evaluation for validation samples."""
    return state.device if purpose == "train" else state.evaluation_device


def _load_batch(data: PreparedDataset, request: BatchRequest) -> Batch:
    """Load a batch in this process; raises the error of its samples."""
    batch = data[request]
    if isinstance(batch, Failure):
        raise batch.error
    return batch


def cache_key(state: TrainingState, network: nn.Module, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Compute the cache key: a digest of everything that the bits of the features of a network depend on."""
    digest = hashlib.sha256(weights_digest(network))
    experiment, device = state.experiment, state.device
    for purpose, data_split in state.splits.items():
        digest.update(f"{purpose} {data_split.fingerprint} ".encode() + data_split.ids.tobytes())
    factors = [
        experiment.seed,
        experiment.data.batch_size,
        to_plain(experiment.augment),
        dict(state.backbone.preprocessing),
    ]
    factors += [experiment.evaluate.tta, device.torch.type, device.precision, device.augments, torch.__version__]
    factors += [state.evaluation_device.precision]
    factors += [torch.get_num_threads(), shapes, str(network), modality_of(experiment).cache_version]
    digest.update(json.dumps(factors, sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


def weights_digest(module: nn.Module) -> bytes:
    """Return the SHA-256 digest of the weights of a module with their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.digest()


def missing(state: TrainingState, features: Features, start: int) -> Mapping[str, list[int]]:
    """Return the views, by purpose, that are needed from a step on and not cached yet on every machine."""
    first, last = (step // state.training_length.epoch_steps for step in (start, features.until - 1))
    wanted = {"train": sorted({epoch % features.views for epoch in range(first, last + 1)}), "val": [0]}
    return {
        purpose: [view for view in wanted[purpose] if state.ranks.any(view not in store.done)]
        for purpose, store in features.stores.items()
    }


def batches_of(state: TrainingState, purpose: str, view: int) -> list[BatchRequest]:
    """Return the batches in which the features of a view are computed."""
    count, size = len(state.splits[purpose]), state.experiment.data.batch_size
    if purpose != "train":
        return list(once(count, size))
    order = seeds.order(state.experiment.seed, view, count)
    chunks = np.array_split(order, math.ceil(count / size))
    return [BatchRequest(ids, view, 0, number, len(ids) / count) for number, ids in enumerate(chunks)]


def fill(
    state: TrainingState, features: Features, purpose: str, views: Sequence[int], carry_on: Callable[[], bool]
) -> Iterator[int]:
    """Compute and store the features of views; yields the view after every batch of this process.

    The processes of a machine share the batches. Ends early if `carry_on` returns false on any of them.
    """
    shares = [list(state.ranks.share_of_machine(batches_of(state, purpose, view))) for view in views]
    feed = batches(state.prepared(purpose), chain.from_iterable(shares), state.workers, pin=False)
    for view, share in zip(views, shares, strict=True):
        store = features.datasets[purpose].features[view]
        rounds = Rounds(state.ranks, islice(feed, len(share)), carry_on)
        for batch in rounds:
            with torch.inference_mode(), _device(state, purpose).autocast():
                values = features.cut.prefix(device_inputs(state, batch))
                values = values.unflatten(0, (len(batch.request.ids), -1)).to("cpu", store.dtype)
            store[torch.from_numpy(np.asarray(batch.request.ids))] = values
            yield view
        if rounds.stopped:
            return
        if state.ranks.is_first_of_machine:
            features.stores[purpose].finish(view)


def evaluation_inputs(state: TrainingState, model: Model, step: int) -> tuple[nn.Module, Source, int]:
    """Return the module, the dataset and the number of workers to evaluate with after so many steps."""
    features = state.features
    if features is None or step > features.until:
        return model, state.prepared("val"), state.workers
    rest = features.cut.rest if model is state.model else rebind(model, state.plan, 0)
    return rest, features.datasets["val"], 0
