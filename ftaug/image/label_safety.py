"""What augmentations may do to labels, judged by the names of the classes: a mirrored left arrow is a right one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ftaug.config.registry import Component, nested
from ftaug.config.wording import dotted
from ftaug.errors import ExperimentError, Problem, did_you_mean
from ftaug.image.augmentations.labels import swaps
from ftaug.interfaces.data import Task

SIDES = (
    *(("left", "right"), ("east", "west"), ("os", "od"), ("l", "r"), ("sinister", "dexter"), ("links", "rechts")),
    *(("linke", "rechte"), ("linker", "rechter"), ("linkes", "rechtes"), ("linken", "rechten"), ("gauche", "droite")),
    *(("gauche", "droit"), ("izquierda", "derecha"), ("izquierdo", "derecho"), ("sinistra", "destra")),
    *(("sinistro", "destro"), ("esquerda", "direita"), ("esquerdo", "direito"), ("vänster", "höger")),
    *(("venstre", "høyre"), ("venstre", "højre"), ("vasen", "oikea"), ("lewo", "prawo"), ("lewy", "prawy")),
    *(("vlevo", "vpravo"), ("sol", "sağ"), ("лево", "право"), ("левый", "правый"), ("налево", "направо"), ("左", "右")),
)
LEVELS = (
    *(("up", "down"), ("top", "bottom"), ("upper", "lower"), ("north", "south"), ("upward", "downward")),
    *(("oben", "unten"), ("haut", "bas"), ("arriba", "abajo"), ("alto", "basso"), ("上", "下")),
)
ROTATIONS = (("clockwise", "anticlockwise"), ("clockwise", "counterclockwise"), ("cw", "ccw"))

MIRRORED = {
    "horizontally": (*SIDES, *ROTATIONS, ("b", "d"), ("p", "q")),
    "vertically": (*LEVELS, *ROTATIONS, ("b", "p"), ("d", "q"), ("m", "w"), ("M", "W"), ("n", "u")),
}
UNHARMED = {"horizontally": set("08AHIMOTUVWXYilmnouvwxt1"), "vertically": set("0138BCDEHIKOXclox")}
"""Digits and letters that look much the same in the mirror."""

QUARTER, HALF = 45.0, 90.0
"""Angles, in degrees, beyond which a picture looks more like one turned by a quarter, or by a half."""

TURNED = {
    QUARTER: (*((side, level) for side in ("left", "right") for level in ("up", "down")), ("n", "z")),
    HALF: (*SIDES, *LEVELS, ("6", "9"), ("b", "q"), ("d", "p"), ("m", "w"), ("M", "W"), ("n", "u")),
}
DIGITS = {
    word: str(digit)
    for words in (
        "zero one two three four five six seven eight nine",
        "null eins zwei drei vier fünf sechs sieben acht neun",
        "zéro un deux trois quatre cinq six sept huit neuf",
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
    )
    for digit, word in enumerate(words.split())
}
KINDS = {
    *("digit", "number", "numeral", "char", "character", "letter", "glyph", "lowercase", "uppercase"),
    *("ziffer", "zahl", "buchstabe", "chiffre", "lettre", "cifra", "letra"),
}
"""What stands beside a digit or a letter in a class that is one: `digit_6`, `letter b`."""

TELLING = {"left", "right", *(word for pair in ROTATIONS for word in pair)}
"""Words that tell of a side even where no class has the opposite one."""
LISTED = 4


class Pair(NamedTuple):
    """Two classes that an augmentation may turn into one another; the second is none where it is no class here."""

    one: str
    other: str | None


def check_classes(augment: Sequence[Component], task: Task) -> None:
    """Raise ExperimentError for settings that name classes which are not there."""
    problems: list[Problem | str] = []
    for way, op in nested(augment):
        for setting in ("except", "label_map"):
            named = op.settings.get(setting) or ()
            names = (*named, *named.values()) if isinstance(named, Mapping) else named
            if names and task.regression:
                text = f"{dotted(('augment', *way, setting))}: names classes, and data.train has numbers; leave it out"
                problems.append(Problem(text, op.place))
                continue
            for name in dict.fromkeys(names):
                if name not in task.classes:
                    key = dotted(("augment", *way, setting))
                    problems.append(Problem(f"{key}: no class '{name}'{did_you_mean(name, task.classes)}", op.place))
    if problems:
        raise ExperimentError(*problems)


def hazards(augment: Sequence[Component], task: Task) -> list[str]:
    """Each augmentation that may change a class by the look of the classes' names, and the line to change."""
    found: list[str] = []
    if task.regression:
        return found
    for way, op in nested(augment):
        if op.settings.get(op.fact("chance")) == 0:
            continue
        key = dotted(("augment", *way))
        if how := op.fact("mirrors"):
            found += _of_mirror(key, op, how, task.classes)
        if (angle := _largest_angle(op)) > QUARTER:
            found += _of_turn(key, op, angle, task.classes)
    return found


def _of_mirror(key: str, op: Component, how: str, classes: Sequence[str]) -> Iterator[str]:
    pairs = [pair for pair in _pairs(classes, MIRRORED[how]) if not _is_settled(op, pair)]
    if pairs:
        yield f"{key} {_may(pairs)}: {_remedy(op, pairs)}"
    of_a_pair = {name for pair in pairs for name in pair}
    settled = {*op.settings.get("except", ()), *swaps(op.settings.get("label_map", {}))}
    harmed = [name for name, sign in _characters(classes).items() if sign not in UNHARMED[how]]
    signs = [name for name in harmed if name not in of_a_pair | settled]
    if signs:
        yield f"{key} mirrors {_listed(signs)}, which are then no such characters: {_remedy(op, [])}"


def _of_turn(key: str, op: Component, angle: float, classes: Sequence[str]) -> Iterator[str]:
    looks_like = [pair for limit, pairs in TURNED.items() if angle > limit for pair in pairs]
    pairs = [pair for pair in _pairs(classes, looks_like) if not _is_settled(op, pair)]
    if pairs:
        turns = op.fact("turns")
        less = f"set {turns}: {QUARTER:g} or less, or " if isinstance(turns, str) else ""
        yield f"{key} {_may(pairs)}: {less}{_remedy(op, pairs)}"


def _largest_angle(op: Component) -> float:
    """How far an op turns a picture at most, in degrees; 180 is all the way."""
    turns = op.fact("turns")
    if callable(turns):
        return float(turns(op.settings))
    return float((op.settings[turns] if isinstance(turns, str) else turns) or 0)


def _pairs(classes: Sequence[str], opposites: Sequence[tuple[str, str]]) -> list[Pair]:
    """The classes whose names differ by a word and its opposite; those whose opposite is no class come alone."""
    by_words = {_words(name): name for name in classes}
    by_letters = {name.casefold(): name for name in classes}
    found: dict[frozenset[str], Pair] = {}
    for words, name in by_words.items():
        for one, other in (*opposites, *((b, a) for a, b in opposites)):
            partner = _within(name, one, other, by_letters)
            if _is_word(one, words):
                partner = by_words.get(tuple(other if word == one else word for word in words)) or partner
            if partner or (one in TELLING and one in words):
                found.setdefault(frozenset({name, partner or name}), Pair(name, partner))
    paired = {name for pair in found.values() if pair.other for name in pair}
    return [pair for pair in found.values() if pair.other or pair.one not in paired]


def _is_word(one: str, words: Sequence[str]) -> bool:
    """Whether it is among the words: `b` where it is the only one, l and r (`knee_l`) where they are not."""
    if len(one) > 1 or not one.isascii():
        return one in words
    return (len(words) > 1) == (one in "lr") and one in words


def _within(name: str, one: str, other: str, by_letters: Mapping[str, str]) -> str | None:
    """The class whose name has the opposite in the place of a part of a word: `leftarrow`, `Rechtspfeil`."""
    if min(len(one), len(other)) < 4:
        return None
    letters = name.casefold()
    return by_letters.get(letters.replace(one, other)) if one in letters else None


def _words(name: str) -> tuple[str, ...]:
    """`LeftArrow`, `left_arrow` and `left arrow` are the words left and arrow; one letter is itself.

    What is called a digit or a letter is that alone: `digit_6`, `six` and `6 - six` are 6.
    """
    if (sign := _sign(name)) is not None:
        return (sign,)
    return tuple(word.lower() for word in _parts(name))


def _parts(name: str) -> list[str]:
    """The words of a name, with their capitals; a Chinese character is one."""
    joined = re.sub(r"(anti|counter)[\s_-]+(?=clock)", r"\1", name, flags=re.IGNORECASE)
    apart = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", joined)
    return re.findall(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+", apart)


def _sign(name: str) -> str | None:
    """The digit or letter that a class is, if it is one."""
    signs = {DIGITS.get(word.lower(), word) for word in _parts(name) if word.lower() not in KINDS}
    sign = min(signs, default="")
    return sign if len(signs) == 1 and len(sign) == 1 and sign.isascii() else None


def _characters(classes: Sequence[str]) -> dict[str, str]:
    """The classes that are digits or letters, and which, where at least half of them are."""
    signs = {name: sign for name in classes if (sign := _sign(name)) is not None}
    return signs if 2 * len(signs) >= len(classes) else {}


def _is_settled(op: Component, pair: Pair) -> bool:
    """Whether the settings take care of the pair."""
    settled = {*op.settings.get("except", ()), *swaps(op.settings.get("label_map", {}))}
    return all(name in settled for name in pair if name)


def _may(pairs: Sequence[Pair]) -> str:
    """What may happen to the classes."""
    both = [f"'{pair.one}' into '{pair.other}'" for pair in pairs if pair.other]
    alone = [f"'{pair.one}' into its opposite" for pair in pairs if not pair.other]
    return f"may turn {_shortened([*both, *alone])}"


def _remedy(op: Component, pairs: Sequence[Pair]) -> str:
    """What to change in the file."""
    ways = ["remove it"]
    swapped = {pair.one: pair.other for pair in pairs if pair.other}
    if swapped and "label_map" in op.settings:
        ways.append(f"set label_map: {{{_shortened([f'{a}: {b}' for a, b in swapped.items()])}}}")
    if "except" in op.settings:
        names = [name for pair in pairs for name in pair if name]
        ways.append(f"set except: [{_shortened(names)}]" if names else "name them in except")
    return ", or ".join(ways)


def _listed(names: Sequence[str]) -> str:
    return _shortened([f"'{name}'" for name in names])


def _shortened(items: Sequence[Any]) -> str:
    more = ", …" if len(items) > LISTED else ""
    return ", ".join(items[:LISTED]) + more
