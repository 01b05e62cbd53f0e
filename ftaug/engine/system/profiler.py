"""The parts of a training step by name, for whoever measures: a phase costs a microsecond where nobody does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

import torch

NAMES = ("wait for data", "transfer", "forward", "backward", "optimizer")


@dataclass
class Recorder:
    """While entered, takes in how long each phase lasts, in seconds."""

    device: torch.device
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(NAMES, 0.0))

    active: ClassVar["Recorder | None"] = None

    @contextmanager
    def recording(self) -> Iterator["Recorder"]:
        """Record what this process does meanwhile."""
        Recorder.active = self
        try:
            yield self
        finally:
            Recorder.active = None

    def now(self) -> float:
        """The time at which the device has done all that it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


@contextmanager
def phase(name: str) -> Iterator[None]:
    """What is done meanwhile belongs to a phase."""
    recorder = Recorder.active
    if recorder is None:
        yield
        return
    start = recorder.now()
    yield
    recorder.seconds[name] += recorder.now() - start
