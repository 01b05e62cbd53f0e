"""Text dataset in tar and zip archives."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from ftaug.data import split_groups
from ftaug.data.shards.archive_index import (
    ArchivePath,
    ArchiveRoot,
    ClassList,
    GroupKey,
    LabelKey,
    LabelSettings,
    LabelsFrom,
    TargetKeys,
    archive_index,
    archive_tasks,
)
from ftaug.data.shards.index import ShardIndex, StoredSamples
from ftaug.errors import BadData, Problem
from ftaug.text import dataset
from ftaug.text.datasets.folder import TEXTS
from ftaug.text.datasets.in_memory import SHOWN, Collected, Empty, TextSamples
from ftaug.text.types import decoded


@dataclass(frozen=True)
class StoredNames:
    """Names of samples in shards: the shard and the name there."""

    samples: StoredSamples
    taken: np.ndarray  # int64 (n,): indices of the samples

    def __getitem__(self, index: int) -> str:
        return self.samples.name(int(self.taken[index]))


@dataset.register(tasks=archive_tasks, archives=True)
def text_shards(
    split: str,
    *,
    path: ArchivePath,
    labels_from: LabelsFrom = None,
    label: LabelKey = None,
    target: TargetKeys = None,
    group: GroupKey = None,
    classes: ClassList = None,
    root: ArchiveRoot = None,
    empty: Empty = "error",
) -> TextSamples:
    """Texts in tar or zip archives (WebDataset): each .txt file is one text in UTF-8.

    Settings:
        empty: error, or skip to leave out files of nothing but white space

    Archives may not be compressed: `ftaug pack` writes compressed ones anew. With the class in the path (`good/1.txt`),
    samples are in the order of class folders, otherwise in that of the archives. A list of labels in a .json file makes
    the task multi-label. All texts are held in memory; the same text in several files is on one side of a split.
    """
    labels = LabelSettings(labels_from, label, target, group, classes)
    index = archive_index("text_shards", split, path, TEXTS, root, labels)
    return in_memory(index, str(path), empty)


def in_memory(index: ShardIndex, path: str, empty: Empty) -> TextSamples:
    """Read the texts of shards into memory; raises BadData naming the first few invalid ones."""
    samples, texts, problems = StoredSamples(index), Collected(1), list[Problem]()
    for place in range(len(samples)):
        try:
            texts.take(place, [decoded(samples.content(place))])
        except BadData as error:
            problems.append(Problem(f"{samples.name(place)}: {error}"))
    if problems:
        more = len(problems) - SHOWN
        raise BadData(*problems[:SHOWN], *([f"{path}: {more:,} more texts like these"] if more > 0 else []))
    left_out = texts.left_out(path, [os.fsdecode(index.names[place]) for place in texts.empty[:SHOWN]], empty)
    texts.digest.update(index.fingerprint.encode())
    return TextSamples(
        texts.parts,
        StoredNames(samples, texts.taken),
        index.targets[texts.taken],
        index.task,
        texts.digest.hexdigest(),
        (*index.notes, *left_out),
        split_groups.joined(
            split_groups.equal(texts.hashes), None if index.groups is None else index.groups[texts.taken]
        ),
        keys=texts.keys,
    )
