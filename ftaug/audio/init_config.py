"""Generate an experiment file for a folder or a table of sounds (`ftaug init`)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ftaug.audio.center_frequency import center_of
from ftaug.audio.datasets.columns import audio_parquet, hf_disk
from ftaug.audio.datasets.folder import audio_folder
from ftaug.audio.datasets.index import SoundSamples
from ftaug.audio.datasets.shards import audio_shards
from ftaug.audio.datasets.stored import StoredSounds
from ftaug.audio.datasets.table import AUTO, MANIFEST, audio_table
from ftaug.audio.hf_network import FILES, HfNetwork, check_weights
from ftaug.audio.infer_columns import Guess, guess, rows_of_sounds
from ftaug.audio.io.open_sound import SUFFIXES, VIDEOS
from ftaug.audio.io.sound_file import format_of, span
from ftaug.audio.recipe import SMALL, SoundFacts, recipe
from ftaug.config.registry import registry
from ftaug.data.folders.classes import check_folder, splits
from ftaug.data.folders.named import below, relative_path
from ftaug.data.shards.containers import container_at
from ftaug.data.tables.rows import SUFFIXES as TABLES
from ftaug.errors import BadData, ExperimentError, MissingInput, Unavailable
from ftaug.interfaces.data import Task
from ftaug.interfaces.modality import RequestedModel
from ftaug.recipes.containers import container_layout, samples_in_container
from ftaug.recipes.layout import COLUMNS_GUESSED, Layout, by_split, group_hint, print_notes, table_settings
from ftaug.recipes.model import model, model_folder, registered, requested_name
from ftaug.recipes.recipe import Model, class_counts
from ftaug.recipes.unreadable import report_unreadable, with_name
from ftaug.recipes.writer import Line, experiment_text

Sounds = SoundSamples | StoredSounds
CONTAINERS: dict[str, Callable[..., StoredSounds]] = {
    "shards": audio_shards,
    "parquet": audio_parquet,
    "hf_disk": hf_disk,
}
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
"""Name of a network on the Hub: owner/name."""
MEASURED = 64  # number of sounds that are looked at
LOOKED_AT = 10  # seconds of them whose frequencies are measured


def samples_in(path: Path) -> int:
    """Count the sounds below a folder or in a table, including those in formats that are not read."""
    if count := samples_in_container(path, "sound", SUFFIXES):
        return count
    if path.is_dir():
        return len(below(path, [*SUFFIXES, *(suffix.encode() for suffix in VIDEOS)]))
    return rows_of_sounds(path) if path.name.lower().endswith(TABLES) else 0


def experiment(path: Path, target: Path, requested: RequestedModel) -> str:
    """Return the text of an experiment file for a folder or a table; raises BadData, ExperimentError, MissingInput.

    A requested backbone is tiny_audio, a network of transformers, or the network for pictures on spectrograms.
    """
    chosen, network = _requested_model(requested, target)
    train, layout = _layout(path, target)
    print_notes(train)
    seconds, rates, centers, broken = _measured(train, target)
    targets = np.delete(train.targets, broken, axis=0)
    facts = SoundFacts(
        train.task.kind,
        len(targets),
        class_counts(train.task, targets),
        chosen,
        network=network,
        rate=int(np.median(rates)),
        low_rate=int(np.percentile(rates, 10, method="lower")),
        median=float(np.median(seconds)),
        seconds=float(np.percentile(seconds, 90)),
        longest=max(seconds),
        center=float(np.median(centers)),
    )
    counts = [f"{name} {count}" for name, count in facts.counts.items()]
    header = [
        f"Written by `ftaug init` for {path}.",
        f"{facts.samples} training sounds {_description(train.task)}, of about {np.median(seconds):.2g} s"
        + ":" * bool(counts),
        *([", ".join(counts[:8]) + ", …" * (len(counts) > 8)] if counts else []),
        "All that can be set: ftaug list. Listen: ftaug preview THIS_FILE -o page.html; then ftaug train THIS_FILE.",
    ]
    return experiment_text(header, [Line("modality: audio")], layout, facts.samples, recipe(facts))


def _requested_model(requested: RequestedModel, target: Path) -> tuple[Model | None, HfNetwork | None]:
    """Return the requested backbone, and what it takes if it is one of transformers.

    Raises BadData, ExperimentError, MissingInput.
    """
    if (name := requested_name(requested)) is None:
        return None, None
    if name.partition("/")[0] == "hf":
        raise ExperimentError(
            "--backbone hf: name the network instead, as a folder (./my-network) or by its name on the hub (ORG/NAME)"
        )
    networks = registry("backbone", "audio" if name == SMALL else "image")
    if name in networks or (path := _transformers_path(name, target)) is None:
        return model(registered(networks, name, [SMALL]), requested.weights, target), None
    chosen = model(registry("backbone", "audio")["hf"], requested.weights, target, path=path)
    location = str(Path(name).expanduser())
    network = HfNetwork.read(location)
    if chosen.settings["weights"] == "pretrained":
        check_weights(location)
    return chosen, network


def _transformers_path(name: str, target: Path) -> str | None:
    """Return a network's folder, relative to the file `target`, or its name on the Hub; None if it is neither."""
    return model_folder(name, target, FILES) or (name if HUB_NAME.fullmatch(name) else None)


def _layout(path: Path, target: Path) -> tuple[Sounds, Layout]:
    """Return the training samples, and the dataset of each split."""
    kind = container_at(path)
    is_table = path.name.lower().endswith(TABLES)
    if kind is not None and (not is_table or samples_in_container(path, "sound", SUFFIXES)):
        return container_layout(CONTAINERS[kind], path, target)
    return _of_table(path, target) if is_table else _of_folder(path, target)


def _of_folder(path: Path, target: Path) -> tuple[SoundSamples, Layout]:
    check_folder("audio_folder", path)
    unread = [*map(os.fsdecode, below(path, [suffix.encode() for suffix in VIDEOS]))]
    if unread and not below(path, SUFFIXES):
        suffix = Path(unread[0]).suffix.lower()
        raise BadData(f"{unread[0]}: {suffix} is a video; convert it, such as by: ffmpeg -i IN{suffix} OUT.flac")
    folders = splits(path)
    datasets = {split: {"audio_folder": {"path": relative_path(at, target)}} for split, at in folders.items()}
    return audio_folder("train", path=folders["train"]), Layout(datasets)


def _of_table(path: Path, target: Path) -> tuple[SoundSamples, Layout]:
    columns = guess(path)

    def read(split: str) -> SoundSamples:
        return _read(path, columns, split)

    named = {} if columns.audio == MANIFEST else {"audio": columns.audio}
    settings = {"path": relative_path(path, target), **named, **columns.times, **table_settings(columns.targets)}
    datasets = by_split(read, columns.targets, {"audio_table": settings})
    return read("train"), Layout(datasets, COLUMNS_GUESSED, group_hint(columns.targets, "audio_table"))


def _read(path: Path, columns: Guess, split: str) -> SoundSamples:
    """Return the samples of a split."""
    targets = columns.targets
    return audio_table(
        split,
        path=path.resolve(),
        audio=None if columns.audio == MANIFEST else columns.audio,
        start=columns.times.get("start", AUTO),
        end=columns.times.get("end", AUTO),
        label=targets.label,
        target=targets.target,
        labels_separator=targets.separator,
        split_column=targets.split,
    )


def _measured(samples: Sounds, target: Path) -> tuple[list[float], list[int], list[float], list[int]]:
    """Measure some of the sounds: lengths in seconds, rates and center frequencies in Hz, and who is unreadable.

    The latter are indices of samples; their problems are printed.
    """
    seconds: list[float] = []
    rates: list[int] = []
    centers: list[float] = []
    broken: dict[int, str] = {}
    for index in sorted({len(samples) * step // MEASURED for step in range(MEASURED)}):
        clip = samples.read(index)
        try:
            rate = format_of(clip).rate
            centers.append(center_of(clip, LOOKED_AT))
            seconds.append(span(clip)[1] / rate)
            rates.append(rate)
        except Unavailable:
            raise
        except (BadData, MissingInput) as error:
            broken[index] = with_name(samples.name(index), error)
    report_unreadable([*broken.values()], len(seconds), "sounds", target)
    return seconds, rates, centers, [*broken]


def _description(task: Task) -> str:
    """Describe the prediction task in a few words."""
    if task.regression:
        return "with a number"
    return f"of {len(task.classes)} classes{', any number of them a sound' * task.multi_label}"
