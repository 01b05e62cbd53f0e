"""Image dataset in tar and zip archives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
from ftaug.data.shards.index import StoredSamples
from ftaug.image import dataset
from ftaug.image.datasets.index import PICTURES, scaled
from ftaug.image.io.grayscale import GrayRange, ValueRange

if TYPE_CHECKING:
    from ftaug.image.io.picture import Picture


@dataclass(frozen=True)
class StoredPictures(StoredSamples):
    """Image files in shards."""

    value_range: ValueRange | None = None  # of gray pictures of more than 8 bits

    @property
    def fingerprint(self) -> str:
        """Digest of names, sizes, labels and the value range."""
        return scaled(self.index.fingerprint, self.value_range)

    def read(self, index: int) -> bytes | Picture:
        """Return the file's bytes, or a picture if the data set defines a value range."""
        data = self.content(index)
        if self.value_range is None:
            return data
        from ftaug.image.io.decode import opened

        return opened(data, self.value_range)


@dataset.register(tasks=archive_tasks, archives=True)
def image_shards(
    split: str,
    *,
    path: ArchivePath,
    labels_from: LabelsFrom = None,
    label: LabelKey = None,
    target: TargetKeys = None,
    group: GroupKey = None,
    classes: ClassList = None,
    root: ArchiveRoot = None,
    value_range: GrayRange = None,
) -> StoredPictures:
    """Pictures in tar or zip archives (WebDataset), read at their offsets without unpacking.

    The headers are read once and cached. Archives may not be compressed: `ftaug pack` writes compressed ones anew. With
    the class in the path (`cat/1.jpg`), samples are in the order of class folders, otherwise in that of the archives. A
    list of labels in a .json file makes the task multi-label. Links, sparse files, names that occur twice, samples
    without a label and labels without a sample are errors. Reads the encoded bytes.
    """
    labels = LabelSettings(labels_from, label, target, group, classes)
    return StoredPictures(archive_index("image_shards", split, path, PICTURES, root, labels), value_range)
