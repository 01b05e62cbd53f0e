"""Sound dataset in tar and zip archives."""

from __future__ import annotations

from ftaug.audio import dataset
from ftaug.audio.clip import Channels, Silent
from ftaug.audio.datasets.stored import StoredSounds, stored_sounds
from ftaug.audio.io.open_sound import SOUNDS
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


@dataset.register(tasks=archive_tasks, archives=True)
def audio_shards(
    split: str,
    *,
    path: ArchivePath,
    labels_from: LabelsFrom = None,
    label: LabelKey = None,
    target: TargetKeys = None,
    group: GroupKey = None,
    classes: ClassList = None,
    root: ArchiveRoot = None,
    channels: Channels = "mix",
    silent: Silent = "error",
) -> StoredSounds:
    """Sounds in tar or zip archives (WebDataset), read at their offsets without unpacking.

    The headers are read once and cached. Archives may not be compressed: `ftaug pack` writes compressed ones anew. With
    the class in the path (`yes/1.flac`), samples are in the order of class folders, otherwise in that of the archives.
    A list of labels in a .json file makes the task multi-label. The bytes of a sound are read as a whole, and the part
    that is used is decoded. Needs soundfile and soxr.
    """
    labels = LabelSettings(labels_from, label, target, group, classes)
    return stored_sounds(archive_index("audio_shards", split, path, SOUNDS, root, labels), channels, silent)
