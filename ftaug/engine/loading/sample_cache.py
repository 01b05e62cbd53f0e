"""Cache decoded samples between epochs, in memory or on disk (`data.cache`)."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from ftaug.data.cache_dirs import abandoned, cache_folder, memory_folder, of_this_process
from ftaug.engine.loading import seeds
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.system.ranks import Ranks
from ftaug.engine.training.state import TrainingState
from ftaug.errors import ExperimentError, StorageError, Unavailable

PROBES = 8
EPOCHS = 8
"""The needed space is estimated from this number of samples, each over this number of epochs."""

AUTO_SHARE, MAX_SHARE = 0.5, 0.9
"""Maximum share of the free space to use: for `auto`, and for a place that the user sets."""


@dataclass(frozen=True)
class Cache:
    """The resolved `data.cache`: where samples are cached, if anywhere."""

    place: str | None  # ram or disk
    text: str  # human-readable
    folder: Path | None = None


@contextmanager
def caching(state: TrainingState) -> Iterator[tuple[TrainingState, Cache]]:
    """Context manager that adds the sample cache of `data.cache` to the training state.

    The processes of a machine share it. A cache in memory is deleted at the end. Raises StorageError if the configured
    place is too small, before anything is written.
    """
    for folder in abandoned():
        shutil.rmtree(folder, ignore_errors=True)
    if state.experiment.data.cache is None:
        yield state, Cache(None, "off")
        return
    cache = choose_together(state.ranks, lambda: _choose(state))
    if cache.folder is None:
        yield state, cache
        return
    verbs, must_keep = modality_of(state.experiment), state.experiment.data.cache != "auto"
    cached: dict[str, DataSplit] = {}
    for purpose, split in state.splits.items():
        folder = cache.folder / _key(split.samples.fingerprint, verbs.cache_version)
        cached[purpose] = replace(split, samples=verbs.cached(split.samples, folder, must_keep))
    try:
        yield replace(state, splits=cached), cache
    finally:
        if cache.place == "ram" and state.ranks.is_first_of_machine:
            shutil.rmtree(cache.folder, ignore_errors=True)


def choose_together(ranks: Ranks, choose: Callable[[], Cache]) -> Cache:
    """Choose a cache for all processes of a machine, which share it."""

    def choice() -> list[str | None]:
        cache = choose()
        return [cache.place, cache.text, None if cache.folder is None else str(cache.folder)]

    place, text, folder = ranks.call_first_of_machine(choice)
    return Cache(place, text, folder and Path(folder))


def _choose(state: TrainingState) -> Cache:
    """Choose the place of the cache: as configured, or for `auto` where there is room; raises ExperimentError."""
    setting, needed = state.experiment.data.cache, _needed(state)
    if needed == 0:
        if setting == "auto":
            return Cache(None, "auto → off (the samples are in memory already)")
        raise ExperimentError(f"data.cache: {setting} has no benefit: the samples are in memory already; leave it out")
    return choose_location("data.cache", str(setting), needed, "decoded")


def choose_location(setting: str, place: str, needed: int, name: str) -> Cache:
    """Choose where to cache `needed` bytes: at the configured place, or for `auto` in memory or on disk if they fit.

    `setting` is the key path for errors, `name` the subfolder on disk. Raises Unavailable, StorageError.
    """
    folders = {"ram": _memory(), "disk": cache_folder() / name}
    if place == "auto":
        for candidate, folder in folders.items():
            if folder is not None and needed <= AUTO_SHARE * _free(folder):
                return Cache(candidate, f"auto → {candidate} ({_sizes(needed, _free(folder))})", folder)
        return Cache(None, f"auto → off ({_size(needed)} do not fit into half of the free space)")
    folder = folders[place]
    if folder is None:
        raise Unavailable(f"{setting}: ram needs a file system in memory at /dev/shm; use disk")
    if needed > MAX_SHARE * _free(folder):
        raise StorageError(f"{setting}: {place} has too little space at {folder}: {_sizes(needed, _free(folder))}")
    return Cache(place, f"{place} ({_sizes(needed, _free(folder))})", folder)


def _needed(state: TrainingState) -> int:
    """Estimate the bytes of all cached samples from a few of them."""
    total = 0.0
    for purpose, split in state.splits.items():
        prepared = state.prepared(purpose)
        epochs = range(EPOCHS) if purpose == "train" else [None]
        sizes = []
        for position in np.unique(np.linspace(0, len(split) - 1, PROBES).astype(int)).tolist():
            raw = prepared.read(position, None)[0]
            sample = int(split.ids[position])
            streams = [None if epoch is None else seeds.streams(prepared.seed, epoch, sample) for epoch in epochs]
            sizes.append(prepared.verbs.footprint(raw, prepared.pipeline, streams))
        total += float(np.mean(sizes)) * len(split)
    return round(total)


def _memory() -> Path | None:
    """Return this process's folder on a file system in memory; None if there is no such file system."""
    folder = memory_folder()
    return folder / of_this_process("run") if folder else None


def _free(folder: Path) -> int:
    """Return the free bytes of a folder's file system; for one in memory at most the available memory."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    memory = memory_folder()
    if memory is None or not folder.is_relative_to(memory.parent):
        return free
    return min(free, _available())


def _available() -> int:
    """Return the available memory in bytes, without swapping."""
    with Path("/proc/meminfo").open() as lines:
        meminfo: Mapping[str, int] = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return meminfo.get("MemAvailable", meminfo["MemFree"])


def _key(fingerprint: str, version: str) -> str:
    """Return the cache key of a dataset and the version of the cached format."""
    return sha256(f"{fingerprint} {version}".encode()).hexdigest()[:16]


def _sizes(needed: int, free: int) -> str:
    return f"{_size(needed)} of {_size(free)} free"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
