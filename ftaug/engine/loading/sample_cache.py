"""Prepared parts of samples kept between epochs: where, whether they fit, and until when."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np

from ftaug.data.cache_dirs import abandoned, cache_folder, memory_folder, of_this_process
from ftaug.engine.loading import seeds
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.state import TrainingState
from ftaug.errors import ExperimentError, StorageError, Unavailable

PROBES = 8
EPOCHS = 8
"""The space is judged by so many samples, as so many epochs would leave them."""

CAUTIOUS, AT_MOST = 0.5, 0.9
"""The share of the free space that `auto` takes, and that is taken where the user asks for a place."""


@dataclass(frozen=True)
class Cache:
    """What became of `data.cache`."""

    place: str | None  # ram or disk
    text: str  # for people
    folder: Path | None = None


@contextmanager
def caching(setup: TrainingState) -> Iterator[tuple[TrainingState, Cache]]:
    """The setup with samples that are kept as its `data.cache` asks; what lies in memory goes at the end.

    Raises StorageError where the place that was asked for is too small, before anything is written.
    """
    for folder in abandoned():
        shutil.rmtree(folder, ignore_errors=True)
    if setup.experiment.data.cache is None:
        yield setup, Cache(None, "off")
        return
    cache = _choose(setup)
    if cache.folder is None:
        yield setup, cache
        return
    verbs, must_keep = modality_of(setup.experiment), setup.experiment.data.cache != "auto"
    kept: dict[str, DataSplit] = {}
    for purpose, portion in setup.portions.items():
        folder = cache.folder / _key(portion.samples.fingerprint, verbs.cache_version)
        kept[purpose] = replace(portion, samples=verbs.cached(portion.samples, folder, must_keep))
    try:
        yield replace(setup, portions=kept), cache
    finally:
        if cache.place == "ram":
            shutil.rmtree(cache.folder, ignore_errors=True)


def _choose(setup: TrainingState) -> Cache:
    """Where to keep what: where the user says, or where there is room."""
    asked, needed = setup.experiment.data.cache, _needed(setup)
    if needed == 0:
        if asked == "auto":
            return Cache(None, "auto → off (the samples are in memory already)")
        raise ExperimentError(
            f"data.cache: {asked} would gain nothing: the samples are in memory already; leave it out"
        )
    return choose_location("data.cache", str(asked), needed, "decoded")


def choose_location(setting: str, asked: str, needed: int, name: str) -> Cache:
    """Where so many bytes go: to the place that a setting asks for, or for `auto` to wherever there is room, if at all.

    Raises Unavailable, StorageError.
    """
    places = {"ram": _memory(), "disk": cache_folder() / name}
    if asked == "auto":
        for place, folder in places.items():
            if folder is not None and needed <= CAUTIOUS * _free(folder):
                return Cache(place, f"auto → {place} ({_sizes(needed, _free(folder))})", folder)
        return Cache(None, f"auto → off ({_size(needed)} do not fit into half of what is free)")
    folder = places[asked]
    if folder is None:
        raise Unavailable(f"{setting}: ram needs a file system in memory at /dev/shm; use disk")
    if needed > AT_MOST * _free(folder):
        raise StorageError(f"{setting}: {asked} has too little room at {folder}: {_sizes(needed, _free(folder))}")
    return Cache(asked, f"{asked} ({_sizes(needed, _free(folder))})", folder)


def _needed(setup: TrainingState) -> int:
    """The bytes that all samples will take, by the look of a few."""
    total = 0.0
    for purpose, portion in setup.portions.items():
        prepared = setup.prepared(purpose)
        epochs = range(EPOCHS) if purpose == "train" else [None]
        sizes = []
        for position in np.unique(np.linspace(0, len(portion) - 1, PROBES).astype(int)).tolist():
            raw = prepared.read(position, None)[0]
            sample = int(portion.ids[position])
            streams = [None if epoch is None else seeds.streams(prepared.seed, epoch, sample) for epoch in epochs]
            sizes.append(prepared.verbs.footprint(raw, prepared.pipeline, streams))
        total += float(np.mean(sizes)) * len(portion)
    return round(total)


def _memory() -> Path | None:
    folder = memory_folder()
    return folder / of_this_process("run") if folder else None


def _free(folder: Path) -> int:
    """Free bytes where a folder is or will be; in memory, also no more than the system has to give."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    memory = memory_folder()
    if memory is None or not folder.is_relative_to(memory.parent):
        return free
    return min(free, _available())


def _available() -> int:
    """Bytes of memory that processes may take without swapping."""
    with Path("/proc/meminfo").open() as lines:
        figures: Mapping[str, int] = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}
    return figures.get("MemAvailable", figures["MemFree"])


def _key(fingerprint: str, version: str) -> str:
    return sha256(f"{fingerprint} {version}".encode()).hexdigest()[:16]


def _sizes(needed: int, free: int) -> str:
    return f"{_size(needed)} of {_size(free)} free"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
