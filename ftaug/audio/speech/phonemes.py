"""Phonemes of English as targets of a formant synthesizer, under their ARPAbet names.

Frequencies are of an adult male voice: means of vowels after Hillenbrand et al. (1995, doi:10.1121/1.411872), loci of
consonants after Klatt (1980, doi:10.1121/1.383940), rounded.
"""

from __future__ import annotations

from dataclasses import dataclass

Formants = tuple[float, float, float]


@dataclass(frozen=True)
class Segment:
    """A stretch of a phoneme with constant targets."""

    seconds: float
    formants: Formants | None  # Hz; None: those of the neighbors
    voicing: float = 0.0  # amplitude of the glottal pulses
    breath: float = 0.0  # amplitude of noise from the glottis, filtered by the formants
    friction: float = 0.0  # amplitude of noise from a constriction
    center: float = 0.0  # Hz; of that noise
    width: float = 1.0  # Hz; its standard deviation
    nasal: bool = False
    neighbors: float = 0.3  # share of the neighbors' formants in these


def _vowel(seconds: float, *targets: Formants) -> tuple[Segment, ...]:
    return tuple(Segment(seconds / len(targets), target, voicing=1.0, neighbors=0.1) for target in targets)


def _glide(formants: Formants) -> tuple[Segment, ...]:
    return (Segment(0.07, formants, voicing=0.6, neighbors=0.1),)


def _nasal(formants: Formants) -> tuple[Segment, ...]:
    return (Segment(0.08, formants, voicing=0.7, nasal=True),)


def _fricative(
    formants: Formants, center: float, width: float, loudness: float, seconds: float = 0.11, voicing: float = 0.0
) -> tuple[Segment, ...]:
    return (Segment(seconds, formants, voicing, friction=loudness, center=center, width=width),)


def _stop(
    formants: Formants, center: float, width: float, loudness: float, *, voiced: bool, neighbors: float = 0.4
) -> tuple[Segment, ...]:
    """Close, burst, and, if voiceless, breathe until the voice sets in."""
    burst = Segment(0.012, formants, 0.1 * voiced, 0.1, loudness, center, width, neighbors=neighbors)
    if voiced:
        return Segment(0.055, formants, 0.08, neighbors=neighbors), burst
    breath = Segment(0.04, None, breath=0.3, friction=0.15 * loudness, center=center, width=width)
    return Segment(0.07, formants, neighbors=neighbors), burst, breath


def _affricate(formants: Formants, center: float, width: float, *, voiced: bool) -> tuple[Segment, ...]:
    closure = Segment(0.05, formants, 0.08 * voiced)
    return (closure, *_fricative(formants, center, width, 0.5, 0.075, 0.25 * voiced))


LABIAL: Formants = (320, 950, 2150)
ALVEOLAR: Formants = (320, 1700, 2650)
VELAR: Formants = (300, 1850, 2500)
PALATAL: Formants = (300, 1850, 2750)

PAUSE = "PAUSE"
PHONEMES: dict[str, tuple[Segment, ...]] = {
    PAUSE: (Segment(0.03, None),),
    "AA": _vowel(0.17, (768, 1333, 2522)),
    "AE": _vowel(0.17, (588, 1952, 2601)),
    "AH": _vowel(0.13, (623, 1200, 2550)),
    "AO": _vowel(0.17, (652, 997, 2538)),
    "AW": _vowel(0.2, (740, 1250, 2450), (450, 950, 2350)),
    "AX": _vowel(0.07, (500, 1450, 2450)),
    "AY": _vowel(0.2, (720, 1200, 2450), (390, 2000, 2600)),
    "B": _stop(LABIAL, 700, 500, 0.25, voiced=True),
    "CH": _affricate(PALATAL, 3100, 800, voiced=False),
    "D": _stop(ALVEOLAR, 4200, 1200, 0.3, voiced=True),
    "DH": _fricative((320, 1300, 2550), 6500, 2500, 0.04, 0.05, 0.4),
    "EH": _vowel(0.14, (580, 1799, 2605)),
    "ER": _vowel(0.17, (474, 1379, 1710)),
    "EY": _vowel(0.18, (500, 2000, 2650), (380, 2250, 2850)),
    "F": _fricative((340, 1100, 2100), 7000, 3500, 0.1),
    "G": _stop(VELAR, 2000, 400, 0.3, voiced=True, neighbors=0.7),
    "HH": (Segment(0.06, None, breath=0.35),),
    "IH": _vowel(0.12, (427, 2034, 2684)),
    "IY": _vowel(0.16, (342, 2322, 3000)),
    "JH": _affricate(PALATAL, 3000, 800, voiced=True),
    "K": _stop(VELAR, 2100, 450, 0.4, voiced=False, neighbors=0.7),
    "L": _glide((330, 1050, 2850)),
    "M": _nasal((280, 950, 2200)),
    "N": _nasal((280, 1700, 2600)),
    "NG": _nasal((280, 2150, 2700)),
    "OW": _vowel(0.18, (520, 1100, 2450), (380, 850, 2300)),
    "OY": _vowel(0.21, (550, 850, 2400), (390, 1950, 2550)),
    "P": _stop(LABIAL, 800, 700, 0.3, voiced=False),
    "R": _glide((330, 1100, 1500)),
    "S": _fricative((320, 1500, 2600), 6000, 1300, 0.4),
    "SH": _fricative(PALATAL, 3000, 900, 0.45),
    "T": _stop(ALVEOLAR, 4800, 1500, 0.4, voiced=False),
    "TH": _fricative((320, 1300, 2550), 6500, 2500, 0.08),
    "UH": _vowel(0.12, (469, 1122, 2434)),
    "UW": _vowel(0.17, (340, 1500, 2343), (320, 1100, 2300)),
    "V": _fricative((330, 1100, 2100), 6500, 3000, 0.05, 0.07, 0.35),
    "W": _glide((300, 620, 2200)),
    "Y": _glide((260, 2100, 3000)),
    "Z": _fricative((320, 1500, 2600), 6000, 1300, 0.2, 0.09, 0.3),
    "ZH": _fricative(PALATAL, 3000, 900, 0.2, 0.09, 0.3),
}
