"""Benchmark training: throughput, the time of each phase of a step, and the bound without data loading."""

import itertools
import resource
import time
from dataclasses import dataclass

import numpy as np
import torch

from ftaug.engine.system.cpu_count import usable_cores
from ftaug.engine.system.profiler import Recorder
from ftaug.engine.training.fit import Progress, accumulate_gradients, batch_feed, fit, gradient_norm, update
from ftaug.engine.training.micro_batches import device_inputs
from ftaug.engine.training.state import TrainingState

WARMUP_STEPS = 3
"""Warm-up steps that are not measured: memory, kernels and workers."""

SAMPLES = 64
"""Number of samples that are prepared in this process to measure the time of one."""


@dataclass(frozen=True)
class BenchmarkResult:
    """Benchmark results, in seconds, samples and bytes."""

    samples_per_second: float
    bound: float  # samples per second of the same step without data loading
    step: float  # seconds per step
    phases: dict[str, float]  # seconds per step
    reading: float  # seconds per sample in one process
    preparing: float
    workers: int
    peak_memory: int  # of this process and its workers, or of the GPU

    @property
    def share(self) -> float:
        """The throughput relative to the bound."""
        return self.samples_per_second / self.bound

    @property
    def waiting(self) -> float:
        """The share of a step spent waiting for data."""
        return self.phases["wait for data"] / self.step


def measure(state: TrainingState, steps: int) -> BenchmarkResult:
    """Benchmark some training steps after a warm-up, then the same step on one batch; changes the weights."""
    reading, preparing = _sample_time(state)
    wanted = min(WARMUP_STEPS + steps, state.training_length.total_steps)
    warm = min(WARMUP_STEPS, wanted - 1)
    recorder, count, start = Recorder(state.device.torch), 0, 0.0
    with recorder.recording():
        for step in itertools.islice(fit(state, Progress()), wanted):
            if step.number > warm:
                count += step.samples
            elif step.number == warm:
                start = recorder.now()
                recorder.seconds = dict.fromkeys(recorder.seconds, 0.0)
        seconds = recorder.now() - start
    taken = wanted - warm
    return BenchmarkResult(
        samples_per_second=count / seconds,
        bound=_bound(state, taken),
        step=seconds / taken,
        phases={name: total / taken for name, total in recorder.seconds.items()},
        reading=reading,
        preparing=preparing,
        workers=state.workers,
        peak_memory=_peak(state),
    )


def _sample_time(state: TrainingState) -> tuple[float, float]:
    """Measure the seconds to read a sample, and to decode and augment it, in this process."""
    data = state.prepared("train")
    positions = np.linspace(0, len(data.split) - 1, min(SAMPLES, len(data.split))).astype(int).tolist()
    data.sample(positions[0], 0)  # imports modules on first use
    reading = whole = 0.0
    for position in positions:
        start = time.perf_counter()
        data.read(position, 0)
        reading += time.perf_counter() - start
        start = time.perf_counter()  # sample() reads again, hence the difference below
        data.sample(position, 0)
        whole += time.perf_counter() - start
    return reading / len(positions), max(0.0, whole - reading) / len(positions)


def _bound(state: TrainingState, steps: int) -> float:
    """Measure the samples per second of a step on batches that are on the device already."""
    feed = batch_feed(state, 0)
    first = [next(feed)]
    while sum(batch.request.share for batch in first) < 1 - 1e-9:
        first.append(next(feed))
    ready = [batch._replace(inputs=device_inputs(state, batch)) for batch in first]
    samples = sum(len(batch.request.ids) for batch in ready)
    clock = Recorder(state.device.torch)
    for number in range(1 + steps):
        if number == 1:
            start = clock.now()
        accumulate_gradients(state, 0, iter(ready))
        update(state, 0, gradient_norm(state))
    return samples * steps / (clock.now() - start)


def _peak(state: TrainingState) -> int:
    """Return the peak memory in bytes, of the GPU or of this process and its workers."""
    if state.device.torch.type == "cuda":
        return torch.cuda.max_memory_allocated(state.device.torch)
    main, workers = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return 1024 * (main + workers * state.workers)


def advice(state: TrainingState, result: BenchmarkResult) -> list[str]:
    """Suggest settings that would reduce the time of a step, as human-readable sentences."""
    experiment, cores, suggestions = state.experiment, usable_cores(), []
    if result.waiting > 0.1:
        need = (result.reading + result.preparing) * result.samples_per_second / (1 - result.waiting)
        if cores > result.workers + 1:
            suggestions.append(f"data.workers={min(cores - 1, round(need) + 1)}: the network waits for samples")
        if experiment.data.cache is None and result.preparing > result.reading:
            suggestions.append("data.cache=auto: samples are decoded once")
        if not suggestions:
            suggestions.append("fewer or cheaper augmentations: the network waits for samples, and no core is free")
    frozen = state.plan.starts != (0,) or len(state.plan.learning(0)) < len(list(state.model.network.parameters()))
    cacheable = experiment.mix is None and experiment.objective is None and experiment.train.cache_features is None
    if frozen and cacheable and experiment.train.epochs > 1:
        suggestions.append("train.cache_features=auto: the frozen layers run once for each view of a sample")
    if result.phases["optimizer"] > 0.2 * result.step:
        suggestions.append("a larger data.batch_size: the optimizer's step does not depend on it")
    return suggestions
