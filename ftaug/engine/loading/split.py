"""The samples of one purpose: train, val or test."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np

from ftaug.config.experiment import Data, Fold, Split
from ftaug.data import names
from ftaug.engine.loading import label_check, seeds, stratify
from ftaug.engine.loading.sample_keys import identities, sample_keys
from ftaug.errors import BadData, FtaugError, combined, did_you_mean
from ftaug.interfaces.data import Samples, SplitRows, Task

LISTED = 8  # names in a message


@dataclass(frozen=True)
class DataSplit:
    """Some of a dataset's samples. A sample's id is its position in the dataset, whatever was split off."""

    purpose: str
    samples: Samples
    ids: np.ndarray  # int64 (n,)
    targets: np.ndarray  # of these samples, in the classes of the task: as `Samples.targets` has them
    task: Task
    left_out: tuple[int, ...] = ()  # the ids of those that cannot be read

    def __len__(self) -> int:
        return len(self.ids)

    def names(self) -> Iterator[str]:
        """The samples' names for a person."""
        return (self.samples.name(int(i)) for i in self.ids)

    def labels(self, position: int) -> tuple[str, ...]:
        """The classes of a sample; none in regression."""
        if self.task.regression:
            return ()
        target = self.targets[position]
        found = np.flatnonzero(target) if self.task.multi_label else [target]
        return tuple(self.task.classes[code] for code in found)

    def describe(self, position: int) -> str:
        """What a sample is, for a person: its classes, or its numbers with their names."""
        if not self.task.regression:
            return ", ".join(self.labels(position)) or "none"
        return ", ".join(f"{n} {x:.15g}" for n, x in zip(self.task.classes, self.targets[position], strict=True))

    def target(self, labels: Sequence[str]) -> np.ndarray:
        """The target of a sample of these classes: an index, or uint8 (classes,)."""
        codes = [self.task.classes.index(name) for name in labels]
        if not self.task.multi_label:
            return np.array(codes[0], np.int64)
        row = np.zeros(len(self.task.classes), np.uint8)
        row[codes] = 1
        return row

    def without(self, positions: Sequence[int]) -> "DataSplit":
        """The same samples without those at the positions, which cannot be read."""
        kept = np.delete(np.arange(len(self)), positions)
        left_out = (*self.left_out, *self.ids[list(positions)].tolist())
        return replace(self, ids=self.ids[kept], targets=self.targets[kept], left_out=left_out)

    @property
    def fingerprint(self) -> str:
        """Digest of which samples these are."""
        return sha256(self.samples.fingerprint.encode() + self.ids.tobytes()).hexdigest()

    def counts(self) -> np.ndarray:
        """Samples per class: int64 (classes,); in regression all of them for each number."""
        if self.task.regression:
            return np.full(len(self.task.classes), len(self), np.int64)
        if self.task.multi_label:
            return np.asarray(self.targets.sum(axis=0, dtype=np.int64))
        return np.bincount(self.targets, minlength=len(self.task.classes))


def whole(purpose: str, samples: Samples, task: Task) -> DataSplit:
    """All samples of a dataset, their targets in the classes of the task."""
    return subset(purpose, samples, np.arange(len(samples)), task)


def subset(purpose: str, samples: Samples, ids: np.ndarray, task: Task) -> DataSplit:
    """The samples with these ids, their targets in the classes of the task; raises BadData where those do not fit."""
    targets = samples.targets[ids]
    if samples.task != task:
        targets = _translated(purpose, targets, samples.task, task)
    return DataSplit(purpose, samples, ids, targets, task)


def _translated(purpose: str, targets: np.ndarray, source: Task, task: Task) -> np.ndarray:
    """Targets in the classes of another task; classes that no sample has need not be among them."""
    if source.regression != task.regression:
        raise BadData(f"data.{purpose}: has {'numbers' if source.regression else 'classes'}, unlike data.train")
    if task.regression:
        theirs, ours = ", ".join(source.classes), ", ".join(task.classes)
        raise BadData(f"data.{purpose}: its numbers are {theirs}, and those of data.train {ours}")
    if source.multi_label != task.multi_label:
        raise BadData(
            f"data.{purpose}: has {'' if source.multi_label else 'no '}several labels a sample, unlike data.train"
        )
    used = np.flatnonzero(targets.any(axis=0)) if task.multi_label else np.unique(targets)
    columns = np.zeros(len(source.classes), np.int64)
    for code in used.tolist():
        name = source.classes[code]
        if name not in task.classes:
            near = did_you_mean(name, task.classes)
            raise BadData(f"data.{purpose}: class '{name}' is not among the classes of data.train{near}")
        columns[code] = task.classes.index(name)
    if not task.multi_label:
        return np.asarray(columns[targets])
    result = np.zeros((len(targets), len(task.classes)), np.uint8)
    result[:, columns[used]] = targets[:, used]
    return result


def portions(data: Data, seed: int) -> dict[str, DataSplit]:
    """Read the datasets and take out the splits: `train`, and `val` and `test` where there are any."""
    read = _read(data)
    train = read["train"]
    _check_names(train.task)
    if train.task.kind == "single_label" and len(train.task.classes) < 2:
        name = train.task.classes[0]
        raise BadData(f"data.train: has only one class, '{name}'; classification needs at least two classes")
    result = {"train": whole("train", train, train.task)}
    sources = {"test": data.test, "val": data.val}
    if any(isinstance(source, Split | Fold) for source in sources.values()):
        words = identities(sample_keys(train), train.groups)
        with _explained(result["train"], data.train.settings):
            for purpose, source in sources.items():
                if isinstance(source, Split):
                    held = _held_out(result["train"], purpose, source.split, words, seed)
                elif isinstance(source, Fold):
                    held = _fold(result["train"], source, words, seed)
                else:
                    continue
                result["train"], result[purpose] = _parted(result["train"], purpose, held)
    for purpose in ("test", "val"):
        if purpose in read:
            result[purpose] = whole(purpose, read[purpose], train.task)
    return result


def _check_names(task: Task) -> None:
    """Refuse a dataset whose classes have the same name, which no reader of ftaug gives."""
    called = [names.normalized(name) for name in task.classes]
    counts = Counter(called)
    if same := [repr(name) for name, key in zip(task.classes, called, strict=True) if counts[key] > 1]:
        raise BadData(f"data.train: the classes {', '.join(same[:8])} have the same name but for blanks or encoding")


@contextmanager
def _explained(train: DataSplit, settings: Mapping[str, Any]) -> Iterator[None]:
    """Say what labels that cannot be split look like."""
    try:
        yield
    except BadData as error:
        reasons = label_check.looks_like(train.task, train.counts(), settings) if not train.task.regression else []
        raise BadData("; ".join([str(error), *reasons])) from None


def _read(data: Data) -> dict[str, Samples]:
    """The datasets by purpose; raises what is wrong with any of them in one error."""
    samples: dict[str, Samples] = {}
    errors: list[FtaugError] = []
    for purpose, source in (("train", data.train), ("test", data.test), ("val", data.val)):
        if source is not None and not isinstance(source, Split | Fold):
            try:
                samples[purpose] = source(purpose)
            except FtaugError as error:
                errors.append(error)
    if errors:
        raise combined(errors)
    return samples


def shared_samples(portion: DataSplit, train: DataSplit) -> str | None:
    """How many samples, read from files or tables of their own, are also for training; None where there are none."""
    keys, others = (getattr(part.samples, "keys", None) for part in (portion, train))  # not every dataset has them
    if portion.samples is train.samples or keys is None or others is None:
        return None
    shared = np.flatnonzero(np.isin(keys[portion.ids], others[train.ids]))
    if not len(shared):
        return None
    name = portion.samples.name(int(portion.ids[shared[0]]))
    what = "1 sample is" if len(shared) == 1 else f"{len(shared):,} samples are"
    return f"{what} also in train, such as {name}: what is measured there says nothing of new samples"


def unlike_asked(data: Data, portions: Mapping[str, DataSplit]) -> Iterator[str]:
    """Splits whose size is far from what was asked for, and why."""
    groups = portions["train"].samples.groups
    why = "each class is on both sides" if groups is None else "groups and rows of the same sample stay together"
    samples = len(portions["train"])
    for purpose, source in (("val", data.val), ("test", data.test)):  # val is taken from what test leaves
        if isinstance(source, Split):
            size = len(portions[purpose])
            samples += size
            asked = source.split if isinstance(source.split, int) else round(source.split * samples)
            if abs(size - asked) > max(1, asked / 4):
                yield f"{purpose}: {size:,} sample{'s' * (size != 1)}, not {asked:,} as asked for: {why}"


def notes_of(portions: Mapping[str, DataSplit]) -> list[str]:
    """What the datasets say to a person; what was split off says nothing of its own."""
    train = portions["train"].samples
    own = {purpose: one for purpose, one in portions.items() if purpose == "train" or one.samples is not train}
    notes = [f"{purpose}: {note}" for purpose, portion in own.items() for note in portion.samples.notes]
    return notes + [f"{purpose}: {_left_out(portion)}" for purpose, portion in portions.items() if portion.left_out]


def _left_out(portion: DataSplit) -> str:
    """Say which samples are left out."""
    names = ", ".join(portion.samples.name(index) for index in portion.left_out[:LISTED])
    more = " …" if len(portion.left_out) > LISTED else ""
    count = len(portion.left_out)
    return f"{count:,} sample{'s' * (count != 1)} left out, which cannot be read: {names}{more}"


def unused_rows(portions: Mapping[str, DataSplit]) -> list[str]:
    """Say how many rows of a table with a split column no dataset of the experiment reads."""
    tables: dict[tuple[str, str], tuple[SplitRows, list[str]]] = {}
    for purpose, portion in portions.items():
        rows: SplitRows | None = getattr(portion.samples, "split_rows", None)
        if rows is not None and (purpose == "train" or portion.samples is not portions["train"].samples):
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


def _held_out(train: DataSplit, purpose: str, size: float, words: np.ndarray, seed: int) -> np.ndarray:
    """Whether each training sample is held out for a purpose: bool (n,)."""
    seed = seeds.word(f"{seed}/{purpose}")
    held = np.zeros(len(train), bool)
    held[stratify.split(train.targets, _groups(train), size, words[train.ids], seed)[1]] = True
    return held


def _fold(train: DataSplit, fold: Fold, words: np.ndarray, seed: int) -> np.ndarray:
    """Whether each training sample is in a fold: bool (n,)."""
    counts = train.counts()
    if train.task.kind == "single_label" and (alone := np.flatnonzero(counts == 1)).size:
        name = train.task.classes[int(alone[0])]
        raise BadData(
            f"data.train: class '{name}' has 1 sample, which cannot be on both sides of a fold; add some to it"
        )
    seed = seeds.word(f"{seed}/folds")
    fold_of = stratify.folds(train.targets, _groups(train), fold.of, words[train.ids], seed)
    return np.asarray(fold_of == fold.fold - 1)


def _groups(train: DataSplit) -> np.ndarray | None:
    groups = train.samples.groups
    return None if groups is None else groups[train.ids]


def _parted(train: DataSplit, purpose: str, held: np.ndarray) -> tuple[DataSplit, DataSplit]:
    """What stays of the training samples, and those held out for a purpose."""
    return (
        replace(train, ids=train.ids[~held], targets=train.targets[~held]),
        replace(train, purpose=purpose, ids=train.ids[held], targets=train.targets[held]),
    )
