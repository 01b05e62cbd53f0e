"""Images without labels, in one folder."""

from __future__ import annotations

import numpy as np

from ftaug.config.types import FilePath
from ftaug.data.folders.loose import loose_files
from ftaug.image import dataset
from ftaug.image.datasets.index import PICTURES, FileSamples, scaled
from ftaug.image.io.grayscale import GrayRange
from ftaug.interfaces.data import Task


@dataset.register(tasks=("single_label",), labeled=False)
def image_files(split: str, *, path: FilePath, value_range: GrayRange = None) -> FileSamples:
    """Pictures without labels: all files in a folder and in the folders below it, `path/1.jpg`, `path/more/2.png`.

    Settings:
        path: the folder

    For `data.unlabeled`, and for `data.train` of `ftaug pretrain`. Read: .jpg .jpeg .jfif .jpe .png .webp .bmp .tif
    .tiff .gif in any case. Hidden files and links to folders are ignored; a note counts them.
    """
    files = loose_files(path, PICTURES)
    return FileSamples(
        path,
        files.paths,
        np.zeros(len(files.paths), np.int64),
        Task(()),
        scaled(files.fingerprint, value_range),
        files.notes,
        keys=files.keys,
        value_range=value_range,
    )
