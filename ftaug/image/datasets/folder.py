"""Image dataset with one folder per class."""

from __future__ import annotations

from ftaug.data import split_groups
from ftaug.data.folders.classes import class_folders
from ftaug.data.folders.settings import ClassesPath, OutsideLinks
from ftaug.image import dataset
from ftaug.image.datasets.index import PICTURES, FileSamples, scaled
from ftaug.image.io.grayscale import GrayRange
from ftaug.interfaces.data import Task


@dataset.register(tasks=("single_label",))
def image_folder(
    split: str, *, path: ClassesPath, outside_links: OutsideLinks = False, value_range: GrayRange = None
) -> FileSamples:
    """Pictures in one folder per class: `path/cat/1.jpg`, `path/dog/2.png`; deeper folders belong to their class.

    Classes are in the order of their numbers, or of their names' bytes, as files are. Links to the same file are on one
    side of a split. Read: .jpg .jpeg .jfif .jpe .png .webp .bmp .tif .tiff .gif in any case. Hidden and system files
    are ignored, links back into a folder already read are skipped; the notes count both. Reads the encoded bytes.
    """
    files = class_folders("image_folder", split, path, PICTURES, outside_links=outside_links)
    return FileSamples(
        path,
        files.paths,
        files.targets,
        Task(files.classes),
        scaled(files.fingerprint, value_range),
        files.notes,
        split_groups.equal(files.keys.tolist()),
        keys=files.keys,
        value_range=value_range,
    )
