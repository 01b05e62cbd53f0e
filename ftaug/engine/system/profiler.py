"""Profile the phases of a training step; without an active recorder a phase costs a microsecond."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ClassVar

import torch

NAMES = ("wait for data", "transfer", "forward", "backward", "optimizer")


@dataclass
class Recorder:
    """Accumulate the seconds of each phase while recording."""

    device: torch.device
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(NAMES, 0.0))

    active: ClassVar["Recorder | None"] = None

    @contextmanager
    def recording(self) -> Iterator["Recorder"]:
        """Context manager that records the phases of this process."""
        Recorder.active = self
        try:
            yield self
        finally:
            Recorder.active = None

    def now(self) -> float:
        """Return the time after synchronizing with the device."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Context manager that attributes the time of its body to a phase."""
    recorder = Recorder.active
    if recorder is None:
        yield
        return
    start = recorder.now()
    yield
    recorder.seconds[name] = recorder.seconds.get(name, 0.0) + recorder.now() - start
