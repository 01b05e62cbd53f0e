"""Pack the datasets of an experiment into archives."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import yaml

from ftaug.config.dump import to_plain
from ftaug.config.experiment import Experiment
from ftaug.config.registry import Component
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.system.signals import StopRequests
from ftaug.engine.system.storage import remove
from ftaug.errors import Interrupted, Stopped
from ftaug.interfaces.data import Shrink
from ftaug.runs.augmented_dataset import lock
from ftaug.runs.decompressed_archives import FOLDER, decompressed
from ftaug.runs.packed_samples import PackedSamples
from ftaug.runs.packed_shards import PackedShards, require_own
from ftaug.runs.report import console
from ftaug.runs.report.progress_bar import ProgressBar

HOW_READ = ("value_range", "empty", "channels", "silent")
"""Settings of datasets that say how samples are read, wherever they are stored."""


def pack(experiment: Experiment, output: Path, size: int, shrink: Shrink | None) -> dict[str, Any]:
    """Pack the datasets of train, val and test; return what was written. Raises Stopped or Interrupted."""
    encode = modality_of(experiment).packed_file
    datasets = {split: getattr(experiment.data, split) for split in ("train", "val", "test")}
    components = {split: dataset for split, dataset in datasets.items() if isinstance(dataset, Component)}
    folder_lock = lock(output)
    try:
        require_own(output)
        samples = {split: decompressed(data, split, output)(split) for split, data in components.items()}
        packed = {
            split: PackedSamples.of(data, partial(encode, data, shrink=shrink)) for split, data in samples.items()
        }
        identity = {
            "data": {split: data.fingerprint for split, data in samples.items()},
            "size": size,
            "shrink": None if shrink is None else list(shrink),
            "seed": experiment.seed,
        }
        shards = PackedShards.open(output, identity, size)
        for split, data in packed.items():
            _write(shards, split, data, experiment.seed)
        remove(output / FOLDER)
    finally:
        folder_lock.release()
    _say_settings(experiment, output, packed, shrink)
    counts = {
        split: {"samples": entry["samples"], "shards": len(entry["shards"])} for split, entry in shards.splits.items()
    }
    return {"output": str(output), "splits": counts}


def _write(shards: PackedShards, split: str, data: PackedSamples, seed: int) -> None:
    total, done = len(data.samples), shards.packed(split)
    with StopRequests() as stop, ProgressBar(total, done, unit="sample") as progress_bar:
        written = shards.write(split, data, data.order(seed, split).tolist())
        for done in written:
            progress_bar.advance()
            progress_bar.status()
            if stop.reason is not None and done < total:
                written.close()
                break
    if done < total:
        done = shards.packed(split)
        text = f"stopped by {stop.reason} with {done:,} of {total:,} samples of {split} in {shards.path}"
        text += "; the same command continues"
        raise Interrupted(text) if stop.reason == "Ctrl-C" else Stopped(text)


def _say_settings(
    experiment: Experiment, output: Path, packed: dict[str, PackedSamples], shrink: Shrink | None
) -> None:
    """Print the datasets that read the archives, to be written to the experiment file."""
    lines = []
    for split, data in packed.items():
        settings = {"path": str(output.resolve() / f"{split}-*.tar"), **data.settings()}
        before = getattr(experiment.data, split).settings
        settings |= {key: to_plain(before[key]) for key in HOW_READ if before.get(key) is not None}
        dataset = {split: {f"{experiment.modality}_shards": settings}}
        lines.append(yaml.safe_dump(dataset, default_flow_style=True, width=10**6, sort_keys=False).strip()[1:-1])
    console.say("to read the shards, set in the experiment file:\ndata:\n" + "\n".join(f"  {line}" for line in lines))
