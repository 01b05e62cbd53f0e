"""Batch sampling and collation: the samples of each batch, as a function of (seed, epoch, step).

There is no sampler state to save, and batches are the same for any number of workers.
"""

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
import torch
from torch.utils.data import Dataset

from ftaug.engine.loading import seeds
from ftaug.engine.loading.class_sampling import Resampling
from ftaug.engine.loading.shard_order import ShardOrder
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.token_budget import TokenBudget
from ftaug.engine.loading.workers import load_items
from ftaug.errors import BadData, BadSample, FtaugError
from ftaug.interfaces.data import Streams

DRAWN_TOGETHER = 16
"""Number of samples whose augmentations are drawn before they are applied; as many files are in memory."""


class BatchRequest(NamedTuple):
    """The samples of one micro-batch to load; an epoch of None means evaluation, without augmentation."""

    ids: np.ndarray
    epoch: int | None
    step: int
    part: int  # of the step, in training: see data.parts
    share: float  # of the step's samples
    rounds: np.ndarray | None = None  # number of earlier visits of each sample; None: one visit an epoch
    ends_part: bool = True  # whether it is the last micro-batch of its part
    unlabeled: np.ndarray | None = None  # unlabeled samples to load too; None: the experiment has none
    unlabeled_rounds: np.ndarray | None = None  # number of earlier visits of each of them


class Batch(NamedTuple):
    """A collated micro-batch and its request."""

    inputs: Any  # all views of all samples: a tensor, or a NamedTuple of tensors for augmentation on the device
    targets: torch.Tensor  # after augmentation, which may change a class
    request: BatchRequest


class Failure(NamedTuple):
    """The error of a sample that could not be loaded, passed from a worker to the main process."""

    error: FtaugError


class Source(Protocol):
    """A dataset indexed by batch requests."""

    @property
    def split(self) -> DataSplit:
        """The split that requests index."""

    @property
    def sizes(self) -> np.ndarray | None:
        """The size of each sample, such as its tokens; None if all are equal."""

    def __getitem__(self, request: BatchRequest) -> Batch | Failure: ...


@dataclass(frozen=True)
class EpochSampler:
    """Batch sampler of training: shuffled epochs, length buckets, micro-batches and class resampling.

    The steps of an epoch differ by one sample at most.
    """

    seed: int
    samples: int
    batch_size: int
    gradient_accumulation: int
    sizes: np.ndarray | None = None  # of the samples; those of similar size are batched together
    bucket: int = 1  # number of steps among which samples are sorted by size
    token_budget: TokenBudget | None = None  # splits batches of unequal samples; None: by number of samples only
    resampling: Resampling | None = None  # which samples an epoch visits; None: each once
    shard_order: ShardOrder | None = None  # None: random order
    views: int | None = None  # augmented views of a sample, which epochs take in turn; None: one an epoch
    unlabeled: Resampling | None = None  # which unlabeled samples an epoch visits, equally many for each labeled one
    micro: int | None = None  # maximum samples of a micro-batch; None: the batch size
    parts: int = 1  # number of parts of a step, whose gradients are summed in a fixed order
    of_rank: range | None = None  # the parts of this process; None: all

    @property
    def own_parts(self) -> range:
        """The parts of a step that this process computes."""
        return range(self.parts) if self.of_rank is None else self.of_rank

    @property
    def steps(self) -> int:
        """The number of optimizer steps per epoch."""
        return math.ceil(self.samples / (self.batch_size * self.gradient_accumulation))

    @property
    def most(self) -> int:
        """The maximum number of samples of a micro-batch."""
        return min(self.batch_size, self.micro or self.batch_size)

    def requests(self, start: int, stop: int) -> Iterator[BatchRequest]:
        """Iterate the micro-batches of the steps from `start` up to, not including, `stop`."""
        for step in range(start, stop):
            epoch, position = divmod(step, self.steps)
            if position == 0 or step == start:
                visited, rounds = self._visits(epoch)
                sizes = None if self.sizes is None else self.sizes[visited]
                chunks = self._chunks(epoch, sizes)
                unlabeled = None if self.unlabeled is None else self.unlabeled.visits(epoch)
            chunk = chunks[position]
            passes = math.ceil(math.ceil(len(chunk) / self.parts) / self.most)
            for part in self.own_parts:  # every parts-th sample: parts of texts are of similar length
                in_part = self._micro_batches(chunk[part :: self.parts], sizes, passes)
                for number, visits in enumerate(in_part, start=1):
                    earlier = None if rounds is None else rounds[visits]
                    share, ends_part = len(visits) / len(chunk), number == len(in_part)
                    request = BatchRequest(visited[visits], epoch, step, part, share, earlier, ends_part)
                    yield request if unlabeled is None else self._with_unlabeled(request, visits, unlabeled)

    def _with_unlabeled(
        self, request: BatchRequest, visits: np.ndarray, unlabeled: tuple[np.ndarray, np.ndarray]
    ) -> BatchRequest:
        """Add the unlabeled samples that go with some visits of labeled ones: those of the same turns of the epoch."""
        positions, rounds = (each.reshape(self.samples, -1)[visits].ravel() for each in unlabeled)
        return request._replace(unlabeled=positions, unlabeled_rounds=rounds)

    def _visits(self, epoch: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the samples of an epoch in their order, and the number of earlier visits of each."""
        if self.resampling is not None:
            return self.resampling.visits(epoch)
        view = None if self.views is None else np.full(self.samples, epoch % self.views)
        if self.shard_order is not None:
            return self.shard_order.order(epoch), view
        return seeds.order(self.seed, epoch, self.samples), view

    def _chunks(self, epoch: int, sizes: np.ndarray | None) -> list[np.ndarray]:
        """Return the visits of each step of an epoch, sorted by size within buckets of steps."""
        chunks = np.array_split(np.arange(self.samples), self.steps)
        if sizes is None or self.bucket == 1:
            return chunks
        for start in range(0, self.steps, self.bucket):
            in_bucket = chunks[start : start + self.bucket]
            visits = np.concatenate(in_bucket)
            visits = visits[np.argsort(sizes[visits], kind="stable")]
            chunks[start : start + self.bucket] = np.split(visits, np.cumsum([len(c) for c in in_bucket])[:-1])
        return [chunks[i] for i in seeds.generator(self.seed, "buckets", epoch).permutation(self.steps)]

    def _micro_batches(self, chunk: np.ndarray, sizes: np.ndarray | None, passes: int) -> list[np.ndarray]:
        """Split the visits of a part into `passes` micro-batches, or by the token budget where there is one."""
        if sizes is None or self.token_budget is None:
            return np.array_split(chunk, min(passes, len(chunk)))
        ordered = chunk[np.argsort(-sizes[chunk], kind="stable")]
        return np.split(ordered, np.cumsum(self.token_budget.counts(sizes[ordered], self.most))[:-1])


def once(samples: int, batch_size: int, sizes: np.ndarray | None = None) -> Iterator[BatchRequest]:
    """Iterate the batches of an evaluation: every sample once, in order, or by ascending size if sizes are given."""
    order = np.arange(samples) if sizes is None else np.argsort(sizes, kind="stable")
    for part, start in enumerate(range(0, samples, batch_size)):
        positions = order[start : start + batch_size]
        yield BatchRequest(positions, None, 0, part, len(positions) / samples)


@dataclass(frozen=True)
class PreparedDataset(Dataset[Batch | Failure]):
    """Dataset that reads, augments and collates the samples of batch requests, in a worker or the main process."""

    split: DataSplit
    modality: str
    pipeline: Any
    seed: int
    relabels: bool = False  # whether the pipeline may change a sample's classes
    plans: bool = False  # whether augmentation runs on the device where it can
    plain: Any = None  # pipeline of the first view, if an objective compares several
    views: int = 1
    varying: frozenset[str] | None = frozenset()  # names of the random streams that differ between views; None: all
    sizes: np.ndarray | None = None  # size of each sample
    unlabeled: "PreparedDataset | None" = None  # dataset of the unlabeled samples of requests

    @property
    def verbs(self) -> ModuleType:
        """The module with the functions of the modality."""
        return sys.modules.get(f"ftaug.{self.modality}.samples") or import_module(f"ftaug.{self.modality}.samples")

    def __getitem__(self, request: BatchRequest) -> Batch | Failure:
        """Load the batch of a request; return a Failure if a sample cannot be loaded."""
        is_training = request.epoch is not None
        targets = self.split.training_targets(request.ids) if is_training else self.split.targets[request.ids]
        try:
            prepared, changed = self._load(request)
            if self.unlabeled is not None and request.unlabeled is not None:
                added = request._replace(ids=request.unlabeled, rounds=request.unlabeled_rounds)
                prepared += self.unlabeled._load(added)[0]
        except FtaugError as error:
            return Failure(error)
        for place, target in changed.items():
            targets[place] = target
        collate = self.verbs.collate_plans if self._only_plans(request.epoch) else self.verbs.collate
        return Batch(collate(prepared), torch.from_numpy(targets), request)

    def _load(self, request: BatchRequest) -> tuple[list[Any], dict[int, np.ndarray]]:
        """Load the views of the samples of a request, view after view, and the targets that the pipeline changed."""
        by_view: list[list[Any]] = [[] for _ in range(self.views)]
        changed = {}
        for start in range(0, len(request.ids), DRAWN_TOGETHER):
            drawn = []
            for place, position in enumerate(request.ids[start : start + DRAWN_TOGETHER].tolist(), start):
                epoch = request.epoch if request.rounds is None else int(request.rounds[place])
                views, target = self._draw(position, epoch)
                drawn.append((position, views))
                if target is not None:
                    changed[place] = target
            for position, views in drawn:
                for prepared, view in zip(by_view, self._applied(position, views), strict=False):
                    prepared.append(view)
        return [sample for view in by_view for sample in view], changed

    def _only_plans(self, epoch: int | None) -> bool:
        """Return whether augmentation of samples is finished on the device; never in evaluation."""
        return self.plans and epoch is not None

    def sample(self, position: int, epoch: int | None) -> tuple[list[Any], np.ndarray | None]:
        """Load and augment a sample; return its views, and its target if the pipeline may change it.

        Raises BadSample with the name of the sample.
        """
        views, target = self._draw(position, epoch)
        return self._applied(position, views), target

    def _draw(self, position: int, epoch: int | None) -> tuple[list[Callable[[], Any]], np.ndarray | None]:
        """Read a sample and draw its augmentations; return functions for its views, and its target if that changes."""
        raw, streams, labels = self.read(position, epoch)
        draw = self.verbs.plan if self._only_plans(epoch) else self.verbs.draw
        with naming(self.split, position):
            if streams is None:
                return [draw(raw, self.pipeline, None, labels)[0]], None
            first = self.pipeline if self.views == 1 else self.plain
            view, applied = draw(raw, first, streams, labels)
            views = [view]
            for number in range(1, self.views):
                views.append(draw(raw, self.pipeline, self._of_view(streams, number), labels)[0])
            return views, self.split.target(applied.labels) if self.relabels else None

    def _applied(self, position: int, views: list[Callable[[], Any]]) -> list[Any]:
        """Apply the augmentations drawn for the views of a sample; raises BadSample."""
        with naming(self.split, position):
            return [view() for view in views]

    def _of_view(self, streams: Streams, view: int) -> Streams:
        """Return the random streams of a view; augmentations that do not vary share theirs between views."""
        return lambda op: streams(f"{op}@{view}" if self.varying is None or op in self.varying else op)

    def read(self, position: int, epoch: int | None) -> tuple[Any, Streams | None, tuple[str, ...]]:
        """Read a sample, with its random streams and its classes; None and none in evaluation.

        Raises BadSample with the name of the sample.
        """
        sample = int(self.split.ids[position])
        with naming(self.split, position):
            raw = self.split.samples.read(sample)
        if epoch is None:
            return raw, None, ()
        return raw, seeds.streams(self.seed, epoch, sample), self.split.labels(position)


@dataclass(frozen=True)
class CorruptedDataset(PreparedDataset):
    """Dataset of corrupted samples in evaluation; a sample's random streams depend on the seed and its id alone."""

    def read(self, position: int, epoch: int | None) -> tuple[Any, Streams | None, tuple[str, ...]]:
        """Read a sample, with the random streams of its corruption and its classes."""
        return super().read(position, 0)


@contextmanager
def naming(split: DataSplit, position: int) -> Iterator[None]:
    """Context manager that turns BadData into BadSample with the name of the sample."""
    try:
        yield
    except BadData as error:
        raise BadSample(f"{split.samples.name(int(split.ids[position]))}: {error}") from None


def batches(source: Source, requests: Iterable[BatchRequest], workers: int, pin: bool) -> Iterator[Batch]:
    """Iterate the batches of requests in their order, prefetched by workers; raises the error of a sample."""
    for batch in iterate_batches(source, requests, workers, pin):
        if isinstance(batch, Failure):
            raise batch.error
        yield batch


def iterate_batches(
    source: Source, requests: Iterable[BatchRequest], workers: int, pin: bool
) -> Iterator[Batch | Failure]:
    """Iterate the batches of requests, with a Failure in place of each batch with a sample that cannot be loaded."""
    for item in load_items(cast(PreparedDataset, source), requests, workers, pin=pin):
        yield item if isinstance(item, Failure) else Batch(item[0], item[1], BatchRequest(*item[2]))


def to_device(inputs: Any, device: torch.device) -> Any:
    """Move the inputs of a batch to a device: a tensor, or a NamedTuple of tensors and numbers."""
    if isinstance(inputs, torch.Tensor):
        return inputs.to(device, non_blocking=True)
    return type(inputs)(*(to_device(v, device) if isinstance(v, torch.Tensor) else v for v in inputs))
