"""Sound files in archives and in columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ftaug.audio.clip import Channels, Clip, Content, Silent
from ftaug.audio.datasets.index import fingerprint_with
from ftaug.audio.datasets.silence import without_silent
from ftaug.data.shards.index import ShardIndex, StoredSamples


@dataclass(frozen=True)
class StoredSounds(StoredSamples):
    """Sound files in shards."""

    channels: Channels = "mix"
    silent: Silent = "error"

    @property
    def fingerprint(self) -> str:
        """Digest of names, sizes, labels and channels."""
        return fingerprint_with(self.index.fingerprint, self.channels)

    def read(self, index: int) -> Clip:
        """Return the sound, whose samples are read when they are needed."""
        extents = self.index.extents
        place = (extents.shards[int(extents.shard_of[index])], int(extents.offsets[index]), index)
        source = Content(self.key(index), place, partial(self.content, index))
        return Clip(source, channels=self.channels, silent=self.silent)

    def taking(self, rows: np.ndarray, fingerprint: str, note: str) -> StoredSounds:
        """Return some of the sounds, with a fingerprint of their own and a further note."""
        return replace(self, index=self.index.take(rows, fingerprint, note))


def stored_sounds(index: ShardIndex, channels: Channels, silent: Silent) -> StoredSounds:
    """Return the sounds of an index, without silent ones if these are skipped."""
    return without_silent(StoredSounds(index, channels, silent), silent)
