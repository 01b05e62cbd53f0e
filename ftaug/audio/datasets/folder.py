"""Sound dataset with one folder per class."""

from __future__ import annotations

from ftaug.audio import dataset
from ftaug.audio.clip import Channels, Silent
from ftaug.audio.datasets.index import SoundSamples, fingerprint_with
from ftaug.audio.datasets.silence import without_silent
from ftaug.audio.io.open_sound import SOUNDS
from ftaug.data import split_groups
from ftaug.data.folders.classes import class_folders
from ftaug.data.folders.settings import ClassesPath, OutsideLinks
from ftaug.interfaces.data import Task


@dataset.register(tasks=("single_label",))
def audio_folder(
    split: str,
    *,
    path: ClassesPath,
    outside_links: OutsideLinks = False,
    channels: Channels = "mix",
    silent: Silent = "error",
) -> SoundSamples:
    """Sounds in one folder per class: `path/yes/1.wav`, `path/no/2.flac`; deeper folders belong to their class.

    Classes are in the order of their numbers, or of their names' bytes, as files are. Links to the same file are on one
    side of a split. Read: .wav .flac .ogg .oga .opus .mp3 .aif .aiff .aifc .au .caf .wave .bwf .rf64 .w64 .snd .sph in
    any case; only the part of a file that is used. With PyAV (`ftaug[av]`) also .m4a .aac .wma .amr. Hidden and system
    files are ignored, links back into a folder already read are skipped; the notes count both. Needs soundfile and
    soxr.
    """
    files = class_folders("audio_folder", split, path, SOUNDS, outside_links=outside_links)
    samples = SoundSamples(
        path,
        files.paths,
        files.targets,
        Task(files.classes),
        fingerprint_with(files.fingerprint, channels),
        files.notes,
        split_groups.equal(files.keys.tolist()),
        channels,
        keys=files.keys,
        silent=silent,
    )
    return without_silent(samples, silent)
