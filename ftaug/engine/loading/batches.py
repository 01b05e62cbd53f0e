"""Batch k of epoch e is a function of (seed, e, k): no sampler state, the same for any number of workers."""

import math
import sys
from collections.abc import Iterable, Iterator
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
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.token_budget import TokenBudget
from ftaug.engine.loading.workers import served
from ftaug.errors import BadData, BadSample, FtaugError
from ftaug.interfaces.data import Streams


class BatchRequest(NamedTuple):
    """The samples of one micro-batch. An epoch of None asks for them as evaluation sees them."""

    ids: np.ndarray
    epoch: int | None
    step: int
    part: int
    share: float  # of the step's samples
    rounds: np.ndarray | None = None  # for each, how often it was visited before; None: once an epoch


class Batch(NamedTuple):
    """A collated micro-batch and what was asked for."""

    inputs: Any  # a tensor; or a NamedTuple of some, where the device is to finish it
    targets: torch.Tensor  # of the samples as they came out: an augmentation may change a class
    request: BatchRequest


class Failure(NamedTuple):
    """A sample that could not be prepared, on its way from a worker to the run."""

    error: FtaugError


class Source(Protocol):
    """Answers requests for batches."""

    @property
    def portion(self) -> DataSplit:
        """The samples that the requests are about."""

    @property
    def sizes(self) -> np.ndarray | None:
        """How much work each sample is; None where all are alike."""

    def __getitem__(self, request: BatchRequest) -> Batch | Failure: ...


@dataclass(frozen=True)
class EpochSampler:
    """How training visits its samples: whole epochs of steps whose sizes differ by one sample at most."""

    seed: int
    samples: int
    batch_size: int
    accumulate: int
    sizes: np.ndarray | None = None  # of the samples: those alike are visited together
    bucket: int = 1  # steps of the random order among which that is done
    parting: TokenBudget | None = None  # how a batch of unequal samples is parted; None: not for their sizes
    resampling: Resampling | None = None  # which samples an epoch visits; None: each once
    micro: int | None = None  # the most samples of a micro-batch; None: as many as a batch has

    @property
    def steps(self) -> int:
        """Optimizer steps in one epoch."""
        return math.ceil(self.samples / (self.batch_size * self.accumulate))

    @property
    def most(self) -> int:
        """The most samples of a micro-batch."""
        return min(self.batch_size, self.micro or self.batch_size)

    def requests(self, start: int, stop: int) -> Iterator[BatchRequest]:
        """The micro-batches of the steps from `start` up to `stop`."""
        for step in range(start, stop):
            epoch, position = divmod(step, self.steps)
            if position == 0 or step == start:
                visited, rounds = self._visits(epoch)
                sizes = None if self.sizes is None else self.sizes[visited]
                chunks = self._chunks(epoch, sizes)
            chunk = chunks[position]
            for part, visits in enumerate(self._parts(chunk, sizes)):
                again = None if rounds is None else rounds[visits]
                yield BatchRequest(visited[visits], epoch, step, part, len(visits) / len(chunk), again)

    def _visits(self, epoch: int) -> tuple[np.ndarray, np.ndarray | None]:
        """The samples that an epoch visits, in random order, and how often each was visited before."""
        if self.resampling is not None:
            return self.resampling.visits(epoch)
        return seeds.order(self.seed, epoch, self.samples), None

    def _chunks(self, epoch: int, sizes: np.ndarray | None) -> list[np.ndarray]:
        """The visits of each step of an epoch: in their order, within a bucket of steps those alike together."""
        chunks = np.array_split(np.arange(self.samples), self.steps)
        if sizes is None or self.bucket == 1:
            return chunks
        for start in range(0, self.steps, self.bucket):
            alike = chunks[start : start + self.bucket]
            together = np.concatenate(alike)
            together = together[np.argsort(sizes[together], kind="stable")]
            chunks[start : start + self.bucket] = np.split(together, np.cumsum([len(c) for c in alike])[:-1])
        return [chunks[i] for i in seeds.generator(self.seed, "buckets", epoch).permutation(self.steps)]

    def _parts(self, chunk: np.ndarray, sizes: np.ndarray | None) -> list[np.ndarray]:
        """The micro-batches of a step: no more samples than a batch has, those alike together."""
        if sizes is None or self.parting is None:
            return np.array_split(chunk, math.ceil(len(chunk) / self.most))
        ordered = chunk[np.argsort(-sizes[chunk], kind="stable")]
        return np.split(ordered, np.cumsum(self.parting.counts(sizes[ordered], self.most))[:-1])


def once(samples: int, batch_size: int, sizes: np.ndarray | None = None) -> Iterator[BatchRequest]:
    """The micro-batches of one evaluation: every sample once, in order, or the smallest first where there are sizes."""
    order = np.arange(samples) if sizes is None else np.argsort(sizes, kind="stable")
    for part, start in enumerate(range(0, samples, batch_size)):
        positions = order[start : start + batch_size]
        yield BatchRequest(positions, None, 0, part, len(positions) / samples)


@dataclass(frozen=True)
class PreparedDataset(Dataset[Batch | Failure]):
    """Answers requests: reads, prepares and collates in whichever process it lives."""

    portion: DataSplit
    modality: str
    pipeline: Any
    seed: int
    relabels: bool = False  # whether the pipeline may change a sample's classes
    plans: bool = False  # whether the device does what it can of the augmentation
    plain: Any = None  # the pipeline of the first view, where several are compared
    views: int = 1
    varying: frozenset[str] = frozenset()  # the streams that differ between views
    sizes: np.ndarray | None = None  # how much work each sample is

    @property
    def verbs(self) -> ModuleType:
        """The modality's."""
        return sys.modules.get(f"ftaug.{self.modality}.samples") or import_module(f"ftaug.{self.modality}.samples")

    def __getitem__(self, request: BatchRequest) -> Batch | Failure:
        """Prepare the samples of a request."""
        targets = self.portion.targets[request.ids]
        by_view: list[list[Any]] = [[] for _ in range(self.views)]
        for place, position in enumerate(request.ids):
            try:
                again = request.epoch if request.rounds is None else int(request.rounds[place])
                views, target = self.sample(int(position), again)
            except FtaugError as error:
                return Failure(error)
            for prepared, view in zip(by_view, views, strict=False):
                prepared.append(view)
            if target is not None:
                targets[place] = target
        collate = self.verbs.collate_plans if self._only_plans(request.epoch) else self.verbs.collate
        return Batch(collate([one for view in by_view for one in view]), torch.from_numpy(targets), request)

    def _only_plans(self, epoch: int | None) -> bool:
        """Whether samples are finished on the device; not in evaluation, which augments nothing."""
        return self.plans and epoch is not None

    def sample(self, position: int, epoch: int | None) -> tuple[list[Any], np.ndarray | None]:
        """Prepare a sample's views; with its target, where the pipeline may change that. Raises BadData naming it."""
        raw, streams, labels = self.read(position, epoch)
        prepare = self.verbs.plan if self._only_plans(epoch) else self.verbs.prepare
        with naming(self.portion, position):
            if streams is None or self.views == 1:
                views = [prepare(raw, self.pipeline, streams, labels)]
            else:
                views = [prepare(raw, self.plain, streams, labels)]
                for view in range(1, self.views):
                    views.append(prepare(raw, self.pipeline, self._of_view(streams, view), labels))
            if streams is None or not self.relabels:
                return views, None
            return views, self.portion.target(self.verbs.account(raw, self.pipeline, streams, labels).labels)

    def _of_view(self, streams: Streams, view: int) -> Streams:
        """The streams of a view: all views share those of the ops that do not vary."""
        return lambda op: streams(f"{op}@{view}" if op in self.varying else op)

    def read(self, position: int, epoch: int | None) -> tuple[Any, Streams | None, tuple[str, ...]]:
        """A sample as stored, with its random streams and its classes; without both for evaluation."""
        sample = int(self.portion.ids[position])
        with naming(self.portion, position):
            raw = self.portion.samples.read(sample)
        if epoch is None:
            return raw, None, ()
        return raw, seeds.streams(self.seed, epoch, sample), self.portion.labels(position)


@contextmanager
def naming(portion: DataSplit, position: int) -> Iterator[None]:
    """Put the sample's name before what is wrong with it."""
    try:
        yield
    except BadData as error:
        raise BadSample(f"{portion.samples.name(int(portion.ids[position]))}: {error}") from None


def batches(source: Source, requests: Iterable[BatchRequest], workers: int, pin: bool) -> Iterator[Batch]:
    """Answer the requests in their order, ahead of time where there are workers; raises what a sample raised."""
    for answer in iterate_batches(source, requests, workers, pin):
        if isinstance(answer, Failure):
            raise answer.error
        yield answer


def iterate_batches(
    source: Source, requests: Iterable[BatchRequest], workers: int, pin: bool
) -> Iterator[Batch | Failure]:
    """The same, with a failure in place of each batch that has a sample which could not be prepared."""
    for item in served(cast(PreparedDataset, source), requests, workers, pin=pin):
        yield item if isinstance(item, Failure) else Batch(item[0], item[1], BatchRequest(*item[2]))


def to_device(inputs: Any, device: torch.device) -> Any:
    """The inputs of a batch on a device: a tensor, or a NamedTuple of tensors and numbers."""
    if isinstance(inputs, torch.Tensor):
        return inputs.to(device, non_blocking=True)
    return type(inputs)(*(to_device(v, device) if isinstance(v, torch.Tensor) else v for v in inputs))
