"""Train, validation and test splits: read the datasets, split them, and map their classes to those of training."""

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
from ftaug.engine.loading.class_mapping import map_targets
from ftaug.engine.loading.joined_samples import JoinedSamples, joined
from ftaug.engine.loading.sample_keys import identities, sample_keys
from ftaug.errors import BadData, FtaugError, combined
from ftaug.interfaces.data import Samples, Task

UNLABELED = "unlabeled"
"""The purpose of samples whose labels are not read, if they have any."""


@dataclass(frozen=True)
class DataSplit:
    """A data split: a subset of a dataset's samples. A sample's id is its position in the whole dataset."""

    purpose: str
    samples: Samples
    ids: np.ndarray  # int64 (n,)
    targets: np.ndarray  # of these samples, as in `Samples.targets`, in the classes of `task`
    task: Task
    left_out: tuple[int, ...] = ()  # the ids of samples that cannot be read
    soft_targets: np.ndarray | None = None  # float32 (samples, classes), by id: shares of the classes, to train on
    labeled: int | None = None  # samples of the dataset before the pseudo-labeled ones; None: all
    confirmation: tuple[int, ...] = ()  # the ids of validation samples that are held out
    dataset_fingerprint: str | None = None  # of the dataset, if unlabeled samples are added to it; None: its samples'

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def epoch_samples(self) -> int:
        """The number of samples that an epoch visits: as many as are labeled."""
        return len(self) if self.labeled is None else int((self.ids < self.labeled).sum())

    def training_targets(self, positions: np.ndarray) -> np.ndarray:
        """Return the targets to train on: the soft targets, float32 (n, classes), where there are any."""
        targets = self.targets if self.soft_targets is None else self.soft_targets[self.ids]
        return np.asarray(targets[positions])

    def names(self) -> Iterator[str]:
        """Iterate the human-readable names of the samples."""
        return (self.samples.name(int(i)) for i in self.ids)

    def labels(self, position: int) -> tuple[str, ...]:
        """Return the class names of a sample; none in regression."""
        if self.task.regression or not self.task.classes:
            return ()
        target = self.targets[position]
        codes = np.flatnonzero(target) if self.task.multi_label else [target]
        return tuple(self.task.classes[code] for code in codes)

    def describe(self, position: int) -> str:
        """Return the human-readable label of a sample: its classes, or its regression targets with their names."""
        if not self.task.regression:
            return ", ".join(self.labels(position)) or "none"
        return ", ".join(f"{n} {x:.15g}" for n, x in zip(self.task.classes, self.targets[position], strict=True))

    def target(self, labels: Sequence[str]) -> np.ndarray:
        """Encode class names as a target: an index, or multi-hot uint8 (classes,)."""
        codes = [self.task.classes.index(name) for name in labels]
        if not self.task.multi_label:
            return np.array(codes[0], np.int64)
        row = np.zeros(len(self.task.classes), np.uint8)
        row[codes] = 1
        return row

    def without(self, positions: Sequence[int]) -> "DataSplit":
        """Return the split without the samples at the positions, which cannot be read."""
        remaining = np.delete(np.arange(len(self)), positions)
        left_out = (*self.left_out, *self.ids[list(positions)].tolist())
        return replace(self, ids=self.ids[remaining], targets=self.targets[remaining], left_out=left_out)

    @property
    def fingerprint(self) -> str:
        """A SHA-256 digest of the dataset and the ids of the samples."""
        return sha256(self.samples.fingerprint.encode() + self.ids.tobytes()).hexdigest()

    def counts(self) -> np.ndarray:
        """Count the samples per class: int64 (classes,); in regression all samples for each target."""
        if self.task.regression:
            return np.full(len(self.task.classes), len(self), np.int64)
        if self.task.multi_label:
            return np.asarray(self.targets.sum(axis=0, dtype=np.int64))
        return np.bincount(self.targets, minlength=len(self.task.classes))

    def labeled_counts(self) -> np.ndarray:
        """Count the labeled samples per class: int64 (classes,); a class of pseudo-labeled samples alone has one."""
        counts = self.counts()
        if self.labeled is None:
            return counts
        labeled = np.bincount(self.targets[self.ids < self.labeled], minlength=len(counts))
        return np.asarray(np.maximum(labeled, np.minimum(counts, 1)))


def whole(purpose: str, samples: Samples, task: Task) -> DataSplit:
    """Return all samples of a dataset as a split, their targets in the classes of the task; raises BadData."""
    return subset(purpose, samples, np.arange(len(samples)), task)


def subset(purpose: str, samples: Samples, ids: np.ndarray, task: Task) -> DataSplit:
    """Return the samples with these ids as a split.

    Targets are mapped to the classes of the task; raises BadData if they do not fit.
    """
    if purpose == UNLABELED:
        return DataSplit(purpose, samples, ids, np.zeros(len(ids), np.int64), Task(()))
    targets = samples.targets[ids]
    if samples.task != task:
        targets = map_targets(purpose, targets, samples.task, task)
        return DataSplit(purpose, samples, ids, targets, task)
    soft_targets, labeled = getattr(samples, "soft_targets", None), getattr(samples, "labeled", None)
    return DataSplit(purpose, samples, ids, targets, task, soft_targets=soft_targets, labeled=labeled)


def load_splits(data: Data, seed: int) -> dict[str, DataSplit]:
    """Read the datasets and split them into `train`, and `val` and `test` if there are any; raises BadData."""
    read = _read(data)
    added = read["train"] if isinstance(read["train"], JoinedSamples) else None
    train = read["train"] if added is None else added.first
    _check_names(train.task)
    if train.task.kind == "single_label" and len(train.task.classes) == 1:
        name = train.task.classes[0]
        raise BadData(f"data.train: has only one class, '{name}'; classification needs at least two classes")
    result = {"train": whole("train", train, train.task)}
    seed = seed if data.split_seed is None else data.split_seed
    sources = {"test": data.test, "val": data.val}
    if any(isinstance(source, Split | Fold) for source in sources.values()):
        words = identities(sample_keys(train), train.groups)
        with _explain_labels(result["train"], data.train.settings):
            for purpose, source in sources.items():
                if isinstance(source, Split):
                    mask = _held_out(result["train"], purpose, source.split, words, seed)
                elif isinstance(source, Fold):
                    mask = _fold(result["train"], source, words, seed)
                else:
                    continue
                result["train"], result[purpose] = _split_off(result["train"], purpose, mask)
    for purpose in ("test", "val", UNLABELED):
        if purpose in read:
            result[purpose] = whole(purpose, read[purpose], train.task)
    result = hold_out_confirmation(result, data, seed)
    return result if added is None else _with_pseudo_labels(result, added)


def read_dataset(data: Data, purpose: str) -> Samples:
    """Read the dataset of a purpose; that of `train` with the pseudo-labeled samples after its own, if there are any.

    Raises BadData.
    """
    samples: Samples = getattr(data, purpose)("train" if purpose == UNLABELED else purpose)
    if purpose != "train" or data.pseudo_labels is None:
        return samples
    return joined(samples, data.pseudo_labels("train"))


def _with_pseudo_labels(splits: Mapping[str, DataSplit], samples: JoinedSamples) -> dict[str, DataSplit]:
    """Add pseudo-labeled samples to the training split."""
    ids = np.concatenate([splits["train"].ids, np.arange(samples.labeled, len(samples))])
    of_train = {name: split for name, split in splits.items() if split.samples is samples.first}
    return {
        **splits,
        **{name: replace(split, samples=samples) for name, split in of_train.items()},
        "train": subset("train", samples, ids, samples.task),
    }


def hold_out_confirmation(splits: dict[str, DataSplit], data: Data, seed: int) -> dict[str, DataSplit]:
    """Hold out the samples of `data.confirmation` from validation; raises BadData."""
    if data.confirmation is None:
        return splits
    val, seed = splits["val"], seed if data.split_seed is None else data.split_seed
    words = identities(sample_keys(val.samples), val.samples.groups)
    try:
        mask = _held_out(val, "confirmation", data.confirmation, words, seed)
    except BadData as error:
        raise BadData(f"data.confirmation: {error}; enlarge data.val") from None
    rest = replace(val, ids=val.ids[~mask], targets=val.targets[~mask], confirmation=tuple(val.ids[mask].tolist()))
    return {**splits, "val": rest}


def _check_names(task: Task) -> None:
    """Raise BadData if classes have the same normalized name, which the readers of ftaug rule out."""
    normalized = [names.normalized(name) for name in task.classes]
    counts = Counter(normalized)
    if same := [repr(name) for name, key in zip(task.classes, normalized, strict=True) if counts[key] > 1]:
        raise BadData(f"data.train: the classes {', '.join(same[:8])} differ only in spacing or encoding")


@contextmanager
def _explain_labels(train: DataSplit, settings: Mapping[str, Any]) -> Iterator[None]:
    """Context manager that adds what the labels look like to the error of a failed split."""
    try:
        yield
    except BadData as error:
        reasons = label_check.looks_like(train.task, train.counts(), settings) if not train.task.regression else []
        raise BadData("; ".join([str(error), *reasons])) from None


def _read(data: Data) -> dict[str, Samples]:
    """Read the datasets by purpose; raises the errors of all of them as one."""
    samples: dict[str, Samples] = {}
    errors: list[FtaugError] = []
    for purpose, source in (
        ("train", data.train),
        ("test", data.test),
        ("val", data.val),
        (UNLABELED, data.unlabeled),
    ):
        if source is not None and not isinstance(source, Split | Fold):
            try:
                samples[purpose] = read_dataset(data, purpose)
            except FtaugError as error:
                errors.append(error)
    if errors:
        raise combined(errors)
    return samples


def _held_out(train: DataSplit, purpose: str, size: float, words: np.ndarray, seed: int) -> np.ndarray:
    """Return a mask of the samples of a split to hold out for a purpose: bool (n,)."""
    seed = seeds.word(f"{seed}/{purpose}")
    mask = np.zeros(len(train), bool)
    mask[stratify.split(train.targets, _groups(train), size, words[train.ids], seed)[1]] = True
    return mask


def _fold(train: DataSplit, fold: Fold, words: np.ndarray, seed: int) -> np.ndarray:
    """Return a mask of the training samples in a cross-validation fold: bool (n,); raises BadData."""
    counts = train.counts()
    if train.task.kind == "single_label" and (singletons := np.flatnonzero(counts == 1)).size:
        name = train.task.classes[int(singletons[0])]
        raise BadData(
            f"data.train: class '{name}' has 1 sample, which cannot be in both training and validation; add samples"
        )
    seed = seeds.word(f"{seed}/folds")
    fold_of = stratify.folds(train.targets, _groups(train), fold.of, words[train.ids], seed)
    return np.asarray(fold_of == fold.fold - 1)


def _groups(train: DataSplit) -> np.ndarray | None:
    """Return the group of each training sample; None without groups."""
    groups = train.samples.groups
    return None if groups is None else groups[train.ids]


def _split_off(train: DataSplit, purpose: str, mask: np.ndarray) -> tuple[DataSplit, DataSplit]:
    """Split the training samples by a mask into those that remain and those held out for a purpose."""
    return (
        replace(train, ids=train.ids[~mask], targets=train.targets[~mask]),
        replace(train, purpose=purpose, ids=train.ids[mask], targets=train.targets[mask]),
    )
