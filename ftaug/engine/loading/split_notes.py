"""Notes and cautions about data splits: overlaps, unexpected sizes, samples left out and rows that are not read."""

from collections.abc import Iterator, Mapping

import numpy as np

from ftaug.config.experiment import Data, Split
from ftaug.engine.loading.split import DataSplit
from ftaug.interfaces.data import SplitRows

LISTED = 8
"""Maximum number of names in a message."""


def shared_samples(split: DataSplit, train: DataSplit) -> str | None:
    """Return a warning if samples of a split, read from another dataset, are also in a split that is trained on."""
    keys, others = (getattr(data.samples, "keys", None) for data in (split, train))  # optional attribute of a dataset
    if split.samples is train.samples or keys is None or others is None:
        return None
    shared = np.flatnonzero(np.isin(keys[split.ids], others[train.ids]))
    if not len(shared):
        return None
    name = split.samples.name(int(split.ids[shared[0]]))
    subject = "1 sample is" if len(shared) == 1 else f"{len(shared):,} samples are"
    effect = "metrics there say nothing about new samples" if train.task.classes else "trained on without their labels"
    return f"{subject} also in {train.purpose}, such as {name}: {effect}"


def size_mismatches(data: Data, splits: Mapping[str, DataSplit]) -> Iterator[str]:
    """Yield a warning for every split whose size is far from the configured one, with the reason."""
    groups = splits["train"].samples.groups
    why = "each class is on both sides" if groups is None else "groups and rows of the same sample stay together"
    samples = splits["train"].epoch_samples
    for purpose, source in (("val", data.val), ("test", data.test)):  # val is taken from what test leaves
        if isinstance(source, Split):
            size = len(splits[purpose]) + len(splits[purpose].confirmation)
            samples += size
            requested = source.split if isinstance(source.split, int) else round(source.split * samples)
            if abs(size - requested) > max(1, requested / 4):
                yield f"{purpose}: {size:,} sample{'s' * (size != 1)}, not {requested:,} as asked for: {why}"


def notes_of(splits: Mapping[str, DataSplit]) -> list[str]:
    """Collect the notes of the datasets and the samples left out; datasets that several splits share appear once."""
    train = splits["train"].samples
    datasets = {purpose: split for purpose, split in splits.items() if purpose == "train" or split.samples is not train}
    notes = [f"{purpose}: {note}" for purpose, split in datasets.items() for note in split.samples.notes]
    return notes + [f"{purpose}: {_left_out(split)}" for purpose, split in splits.items() if split.left_out]


def _left_out(split: DataSplit) -> str:
    """Describe the samples that are left out, by name."""
    names = ", ".join(split.samples.name(index) for index in split.left_out[:LISTED])
    more = " …" if len(split.left_out) > LISTED else ""
    count = len(split.left_out)
    return f"{count:,} sample{'s' * (count != 1)} left out, which cannot be read: {names}{more}"


def unused_rows(splits: Mapping[str, DataSplit]) -> list[str]:
    """Return a warning for each table with a split column that has rows of splits that the experiment does not read."""
    tables: dict[tuple[str, str], tuple[SplitRows, list[str]]] = {}
    for purpose, split in splits.items():
        rows: SplitRows | None = getattr(split.samples, "split_rows", None)
        if rows is not None and (purpose == "train" or split.samples is not splits["train"].samples):
            tables.setdefault(rows[:2], (rows, []))[1].append(purpose)
    cautions = []
    for rows, read in tables.values():
        unused = {name: count for name, count in sorted(rows.counts.items()) if name not in read}
        if unused:
            named = ", ".join(f"'{name}' ({count:,})" for name, count in list(unused.items())[:LISTED])
            more = f" and {len(unused) - LISTED} more names" if len(unused) > LISTED else ""
            users = f"{', '.join(f'data.{purpose}' for purpose in read)} read{'s' * (len(read) == 1)}"
            cautions.append(
                f"{rows.table}: {sum(unused.values()):,} of {sum(rows.counts.values()):,} rows are not used: column "
                f"'{rows.column}' holds {named}{more}, and only {users} the table"
            )
    return cautions
