"""Sum of the gradients of all processes that starts while the backward pass still computes others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ftaug.engine.system.ranks import Ranks
from ftaug.engine.training.step_parts import Part, flattened, unflattened

BUCKET = 4e6
"""Bytes of gradients that are exchanged together: on one machine 1, 4 and 25 MB are equally fast."""


class OverlappedExchange:
    """The exchange of one step: a bucket of gradients is sent when its last one is complete.

    The buckets go from the head to the stem, as the backward pass does. All processes start them in the same order,
    even if they use different layers of the network (Li et al. 2020, PyTorch Distributed).
    """

    def __init__(self, ranks: Ranks, parameters: Sequence[nn.Parameter]) -> None:
        """Exchange the gradients of these parameters."""
        self._ranks, self._parameters = ranks, parameters
        self._buckets: list[list[int]] = []
        size = BUCKET
        for index in reversed(range(len(parameters))):
            if size >= BUCKET:
                self._buckets.append([])
                size = 0.0
            self._buckets[-1].append(index)
            size += parameters[index].nbytes
        self._bucket_of = {
            id(parameters[index]): number for number, bucket in enumerate(self._buckets) for index in bucket
        }
        self._missing = [len(bucket) for bucket in self._buckets]
        self._sums: list[Callable[[], Tensor]] = []  # of the buckets that were started

    @contextmanager
    def overlap(self) -> Iterator[None]:
        """Context manager for the last backward pass of the step, after which all buckets are started."""
        register = Tensor.register_post_accumulate_grad_hook
        hooks = [register(parameter, self._complete) for parameter in self._parameters]  # type: ignore[no-untyped-call]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
        self._start(len(self._buckets))

    def finish(self, part: Part) -> Part:
        """Wait for the sums; returns the sum of this process's part and those of the others."""
        has_gradient = torch.tensor([gradient is not None for gradient in part.gradients], dtype=torch.float64)
        totals = self._ranks.all_reduce(torch.cat([part.totals, has_gradient]))
        totals, counts = totals[: len(part.totals)], totals[len(part.totals) :]
        gradients: list[Tensor | None] = [None] * len(self._parameters)
        for bucket, wait in zip(self._buckets, self._sums, strict=True):
            sizes = [self._parameters[index].numel() for index in bucket]
            for index, values in zip(bucket, torch.split(wait(), sizes), strict=True):
                if counts[index]:
                    gradients[index] = unflattened(values, self._parameters[index])
        return Part(gradients, totals)

    def _complete(self, parameter: Tensor) -> None:
        """Hook: the gradient of a parameter is complete."""
        self._missing[self._bucket_of[id(parameter)]] -= 1
        ready = next((number for number, missing in enumerate(self._missing) if missing), len(self._missing))
        self._start(ready)

    def _start(self, stop: int) -> None:
        """Start the buckets before `stop` that were not started yet."""
        for bucket in self._buckets[len(self._sums) : stop]:
            flat = torch.cat([flattened(self._parameters[index].grad, self._parameters[index]) for index in bucket])
            self._sums.append(self._ranks.start_all_reduce(flat))
