"""Batch k of epoch e is a function of (seed, e, k): no sampler state, the same for any number of workers."""

import math
import multiprocessing
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from ftaug.engine import seeds
from ftaug.engine.portion import Portion
from ftaug.engine.signals import ignore_in_worker
from ftaug.errors import BadData, FtaugError


class Request(NamedTuple):
    """The samples of one micro-batch. An epoch of None asks for them as evaluation sees them."""

    ids: np.ndarray
    epoch: int | None
    step: int
    part: int
    share: float  # of the step's samples


class Batch(NamedTuple):
    """A collated micro-batch and what was asked for."""

    inputs: torch.Tensor
    request: Request


class Failure(NamedTuple):
    """A sample that could not be prepared, on its way from a worker to the run."""

    error: FtaugError


@dataclass(frozen=True)
class Epochs:
    """How training visits its samples: whole epochs of steps whose sizes differ by one sample at most."""

    seed: int
    samples: int
    batch_size: int
    accumulate: int

    @property
    def steps(self) -> int:
        """Optimizer steps in one epoch."""
        return math.ceil(self.samples / (self.batch_size * self.accumulate))

    def requests(self, start: int, stop: int) -> Iterator[Request]:
        """The micro-batches of the steps from `start` up to `stop`."""
        for step in range(start, stop):
            epoch, position = divmod(step, self.steps)
            if position == 0 or step == start:
                chunks = np.array_split(seeds.order(self.seed, epoch, self.samples), self.steps)
            chunk = chunks[position]
            parts = math.ceil(len(chunk) / self.batch_size)
            for part, positions in enumerate(np.array_split(chunk, parts)):
                yield Request(positions, epoch, step, part, len(positions) / len(chunk))


def in_order(samples: int, batch_size: int) -> Iterator[Request]:
    """The micro-batches of one evaluation."""
    for part, start in enumerate(range(0, samples, batch_size)):
        positions = np.arange(start, min(start + batch_size, samples))
        yield Request(positions, None, 0, part, len(positions) / samples)


@dataclass(frozen=True)
class Prepared(Dataset[Batch | Failure]):
    """Answers requests: reads, prepares and collates in whichever process it lives."""

    portion: Portion
    modality: str
    pipeline: Any
    seed: int

    def __getitem__(self, request: Request) -> Batch | Failure:
        """Prepare the samples of a request."""
        verbs = sys.modules.get(f"ftaug.{self.modality}.samples") or _verbs(self.modality)
        prepared = []
        for position in request.ids:
            sample = int(self.portion.ids[position])
            streams = None if request.epoch is None else seeds.streams(self.seed, request.epoch, sample)
            try:
                prepared.append(verbs.prepare(self.portion.samples.read(sample), self.pipeline, streams))
            except BadData as error:
                return Failure(BadData(f"{self.portion.samples.name(sample)}: {error}"))
            except FtaugError as error:
                return Failure(error)
        return Batch(verbs.collate(prepared), request)


def _verbs(modality: str) -> ModuleType:
    from importlib import import_module

    return import_module(f"ftaug.{modality}.samples")


def batches(prepared: Prepared, requests: Iterable[Request], workers: int, pin: bool) -> Iterator[Batch]:
    """Answer the requests in their order, ahead of time where there are workers; raises what a sample raised."""
    loader = DataLoader(
        prepared,
        sampler=requests,
        batch_size=None,
        num_workers=workers,
        pin_memory=pin,
        worker_init_fn=ignore_in_worker if workers else None,
        multiprocessing_context="fork" if workers and "fork" in multiprocessing.get_all_start_methods() else None,
        generator=torch.Generator().manual_seed(0),
    )
    for item in loader:
        if isinstance(item, Failure):
            raise item.error
        yield Batch(item[0], Request(*item[1]))


def usable_cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
