"""Detect leakage: evaluation samples that the initial weights, or a teacher, were trained on."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.dump import to_plain
from ftaug.config.experiment import Experiment, Split
from ftaug.config.registry import Component
from ftaug.config.strict_json import dumps
from ftaug.engine.loading.data_record import CONFIRMATION, LEFT_OUT, SAMPLES_FILE, compare, read_rows
from ftaug.engine.loading.sample_keys import sample_keys
from ftaug.engine.loading.split import DataSplit, hold_out_confirmation, subset
from ftaug.engine.system.run_files import FOLDS_FILE, MODEL_FILE, read_json
from ftaug.engine.system.run_folder import RunFolder
from ftaug.errors import BadData, ExperimentError
from ftaug.interfaces.data import Samples

EARLIER_FILE = "earlier_samples.csv"
"""File of a run folder with the keys of the samples that its initial weights were trained on."""


@dataclass(frozen=True)
class Overlap:
    """Evaluation samples of a split that weights were trained on."""

    purpose: str
    count: int
    total: int
    example: str

    def __str__(self) -> str:
        return f"{self.purpose}: {self.count:,} of {self.total:,} samples, such as {self.example},"


def starts_of(experiment: Experiment) -> list[Path]:
    """Find the run folders that the backbone's weights, or the adapter of the PEFT method, come from."""
    components = [experiment.backbone, *([experiment.method] if experiment.method is not None else [])]
    files = [Path(str(value)) for component in components for value in component.settings.values()]
    return list(dict.fromkeys(run for file in files if file.exists() if (run := _run_of(file)) is not None))


def _run_of(file: Path) -> Path | None:
    """Return the run folder that contains a file, if any."""
    return next(
        (folder for folder in file.absolute().parents[:3] if {SAMPLES_FILE, MODEL_FILE} <= _names(folder)), None
    )


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.*")}


def consistent(
    experiment: Experiment, data: Mapping[str, DataSplit], folder: RunFolder
) -> tuple[Mapping[str, DataSplit], list[str]]:
    """Return the data splits of a new run without leakage from its initial weights, and cautions.

    If the run that the weights come from held out the same share of the same data, its split is reused. Writes what the
    weights were trained on into the folder. Raises ExperimentError if evaluation samples are among it.
    """
    runs, cautions = starts_of(experiment), []
    supervised = [run for run in runs if _facts(run).get("labels_learned", True)]
    for run in supervised:
        overlaps = overlapping(run, experiment, data)
        if overlaps and (taken_over := _taken_over(run, experiment, data)):
            cautions += [_split_caution(overlap, run, experiment.seed) for overlap in overlaps]
            data = taken_over
    for run in runs:
        overlaps = overlapping(run, experiment, data)
        if overlaps and run in supervised:
            raise ExperimentError(
                "; ".join([*(_leakage(overlap, run) for overlap in overlaps), _remedy(run, experiment)])
            )
        cautions += [
            f"{overlap} are among those that {run} was pretrained on, without their labels" for overlap in overlaps
        ]
    if keys := trained_on_data(supervised, experiment, data["train"].samples):
        folder.write(EARLIER_FILE, to_csv(keys))
    return data, cautions


def _split_caution(overlap: Overlap, run: Path, seed: int) -> str:
    trained = f"of the {overlap.total:,} samples that seed {seed} holds out they have seen {overlap.count:,}"
    return f"{overlap.purpose}: the split of {run}, which these weights come from; {trained}"


def _leakage(overlap: Overlap, run: Path) -> str:
    return f"data.{overlap} are among those that the weights of {run} were trained on"


def _remedy(run: Path, experiment: Experiment) -> str:
    facts, source = _facts(run), experiment.data.val
    theirs = facts.get("sources", {}).get("val")
    give = "use other samples for data.val and data.test"
    if isinstance(theirs, Mapping) and theirs.keys() <= {"split", "fold", "of"}:
        return f"hold out what that run held out (seed={facts['seed']} {_override(theirs)}), or {give}"
    anew = f"train that run anew with {_override(to_plain(source))}, or " if isinstance(source, Split) else ""
    return f"{anew}{give}"


def _override(source: Any) -> str:
    """Format the override that holds out the same validation samples."""
    return f"'data.val={dumps(source)}'".replace('"', "")


def teacher_cautions(experiment: Experiment, data: Mapping[str, DataSplit]) -> list[str]:
    """Return cautions about evaluation samples that the teacher was trained on."""
    if experiment.distillation is None:
        return []
    run = experiment.distillation.teacher
    return [
        f"{overlap} are among those that the teacher {run} was trained on"
        for overlap in overlapping(run, experiment, data)
    ]


def overlapping(run: Path, experiment: Experiment, data: Mapping[str, DataSplit]) -> list[Overlap]:
    """Find evaluation samples that the weights of a run were trained on."""
    facts = _facts(run)
    trained: set[str] | None = None
    overlaps = []
    for purpose in ("val", "test"):
        source = getattr(experiment.data, purpose)
        source = source if isinstance(source, Component) else experiment.data.train
        if purpose not in data or not _same(facts, source, data[purpose].samples):
            continue
        trained = trained_on(run) if trained is None else trained
        split = data[purpose]
        keys = list(sample_keys(split.samples))
        shared = [index for index in split.ids.tolist() if keys[index] in trained]
        if shared:
            overlaps.append(Overlap(purpose, len(shared), len(split), split.samples.name(shared[0])))
    return overlaps


def trained_on(run: Path) -> set[str]:
    """Collect the keys of all samples that a run, its folds and the runs before it were trained on."""
    keys: set[str] = set()
    for folder in _folders(run):
        keys |= {row.key for row in read_rows(folder / SAMPLES_FILE) if row.split == "train"}
        if (earlier := folder / EARLIER_FILE).is_file():
            keys |= _from_csv(earlier)
    return keys


def trained_on_data(runs: Iterable[Path], experiment: Experiment, samples: Samples) -> set[str]:
    """Collect the keys of those samples of `data.train` that runs were trained on."""
    same = (run for run in runs if _same(_facts(run), experiment.data.train, samples))
    return {key for run in same for key in trained_on(run)}


def _folders(run: Path) -> Sequence[Path]:
    folders = sorted(run.glob("fold-*")) if (run / FOLDS_FILE).is_file() else [run]
    return [folder for folder in folders if (folder / SAMPLES_FILE).is_file()]


def _facts(run: Path) -> dict[str, Any]:
    return next(((read_json(folder / MODEL_FILE) or {}) for folder in _folders(run)), {})


def _same(facts: Mapping[str, Any], source: Component, samples: Samples) -> bool:
    """Whether a dataset is the one a run was trained on, possibly with samples added or removed."""
    if facts.get("data", {}).get("train") == samples.fingerprint:
        return True
    name, settings = next(iter(_named(facts.get("sources", {}).get("train")).items()), ("", {}))
    paths = {key: str(value) for key, value in source.settings.items() if isinstance(value, Path)}
    return name == source.name and all(_named(settings).get(key) == path for key, path in paths.items())


def _named(plain: Any) -> Mapping[str, Any]:
    """Normalize a component of YAML to {name: settings}."""
    return plain if isinstance(plain, Mapping) else {str(plain): {}}


def _taken_over(run: Path, experiment: Experiment, data: Mapping[str, DataSplit]) -> Mapping[str, DataSplit] | None:
    """Split the data as another run did, new samples going to training; None if it held out a different share."""
    theirs = _facts(run).get("sources", {})
    ours = {name: source for name in ("val", "test") if isinstance(source := getattr(experiment.data, name), Split)}
    if not ours or any(theirs.get(name) != to_plain(source) for name, source in ours.items()):
        return None
    train = data["train"]
    of_train = [name for name, source in theirs.items() if isinstance(source, Mapping) and "split" in source]
    suffixes = ("", LEFT_OUT, CONFIRMATION)
    splits = {name + suffix for name in ("train", *of_train) for suffix in suffixes}
    rows = [row for row in read_rows(run / SAMPLES_FILE) if row.split in splits]
    ids_of = compare(rows, train.samples.task, train.samples).ids
    result = dict(data)
    rest = np.ones(len(train.samples), bool)
    for name in ours:
        ids = np.array(sorted(i for suffix in suffixes for i in ids_of.get(name + suffix, ())), np.int64)
        if not len(ids):
            return None
        rest[ids] = False
        result[name] = subset(name, train.samples, ids, train.task)
    ids = np.flatnonzero(rest)
    result["train"] = replace(train, ids=ids, targets=train.samples.targets[ids])
    return hold_out_confirmation(result, experiment.data, experiment.seed)


def to_csv(keys: set[str]) -> str:
    """Format the content of EARLIER_FILE."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["key"], *([key] for key in sorted(keys))])
    return text.getvalue()


def _from_csv(path: Path) -> set[str]:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            return {key for (key,) in list(csv.reader(file, strict=True))[1:]}
    except (OSError, ValueError, csv.Error) as error:
        raise BadData(f"{path}: cannot be read ({error})") from None
