"""Detect augmentations that may change labels, from the class names: a flipped left arrow is a right arrow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ftaug.config.registry import Component, nested
from ftaug.config.wording import dotted, listed
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
"""Digits and letters that look much the same after a flip."""

QUARTER, HALF = 45.0, 90.0
"""Angles in degrees beyond which an image looks more like one rotated by 90, or by 180 degrees."""

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
"""Words beside the character in names of digit or letter classes: `digit_6`, `letter b`."""

SIDE_WORDS = {"left", "right", *(word for pair in ROTATIONS for word in pair)}
"""Words that denote a side even if no class has the opposite word."""
LISTED = 4


class Pair(NamedTuple):
    """Two classes that an augmentation may turn into each other; `opposite` is None if it is no class of the task."""

    name: str
    opposite: str | None


def check_classes(augment: Sequence[Component], task: Task) -> None:
    """Raise ExperimentError for settings that name unknown classes."""
    problems: list[Problem | str] = []
    for way, op in nested(augment):
        for setting in ("except", "label_map"):
            setting_value = op.settings.get(setting) or ()
            names = (*setting_value, *setting_value.values()) if isinstance(setting_value, Mapping) else setting_value
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


def cautions(augment: Sequence[Component], task: Task) -> list[str]:
    """Return a message for each augmentation that may change a class, judged by the class names, with a remedy."""
    messages: list[str] = []
    if task.regression:
        return messages
    for way, op in nested(augment):
        if op.settings.get(op.fact("chance")) == 0:
            continue
        key = dotted(("augment", *way))
        if how := op.fact("mirrors"):
            messages += _flip_messages(key, op, how, task.classes)
        if (angle := _largest_angle(op)) > QUARTER:
            messages += _rotation_messages(key, op, angle, task.classes)
    return messages


def _flip_messages(key: str, op: Component, how: str, classes: Sequence[str]) -> Iterator[str]:
    pairs = [pair for pair in _pairs(classes, MIRRORED[how]) if not _is_handled(op, pair)]
    if pairs:
        yield f"{key} {_may(pairs)}: {_remedy(op, pairs)}"
    of_a_pair = {name for pair in pairs for name in pair}
    handled = {*op.settings.get("except", ()), *swaps(op.settings.get("label_map", {}))}
    harmed = [name for name, sign in _characters(classes).items() if sign not in UNHARMED[how]]
    signs = [name for name in harmed if name not in of_a_pair | handled]
    if signs:
        quoted = [f"'{sign}'" for sign in signs]
        yield f"{key} mirrors {listed(quoted, LISTED)}, which are then no longer these characters: {_remedy(op, [])}"


def _rotation_messages(key: str, op: Component, angle: float, classes: Sequence[str]) -> Iterator[str]:
    looks_like = [pair for limit, pairs in TURNED.items() if angle > limit for pair in pairs]
    pairs = [pair for pair in _pairs(classes, looks_like) if not _is_handled(op, pair)]
    if pairs:
        turns = op.fact("turns")
        less = f"set {turns}: {QUARTER:g} or less, or " if isinstance(turns, str) else ""
        yield f"{key} {_may(pairs)}: {less}{_remedy(op, pairs)}"


def _largest_angle(op: Component) -> float:
    """Return the largest rotation of an op in degrees; 180 covers all angles."""
    turns = op.fact("turns")
    if callable(turns):
        return float(turns(op.settings))
    return float((op.settings[turns] if isinstance(turns, str) else turns) or 0)


def _pairs(classes: Sequence[str], opposites: Sequence[tuple[str, str]]) -> list[Pair]:
    """Return the classes whose names differ by a word and its opposite; the opposite may be no class (None)."""
    by_words = {_words(name): name for name in classes}
    by_letters = {name.casefold(): name for name in classes}
    pairs: dict[frozenset[str], Pair] = {}
    for words, name in by_words.items():
        for word, opposite in (*opposites, *((b, a) for a, b in opposites)):
            partner = _within(name, word, opposite, by_letters)
            if _is_word(word, words):
                partner = by_words.get(tuple(opposite if other == word else other for other in words)) or partner
            if partner or (word in SIDE_WORDS and word in words):
                pairs.setdefault(frozenset({name, partner or name}), Pair(name, partner))
    paired = {name for pair in pairs.values() if pair.opposite for name in pair}
    return [pair for pair in pairs.values() if pair.opposite or pair.name not in paired]


def _is_word(word: str, words: Sequence[str]) -> bool:
    """Return whether a word is among the words: `b` only if it is alone, l and r (`knee_l`) only if they are not."""
    if len(word) > 1 or not word.isascii():
        return word in words
    return (len(words) > 1) == (word in "lr") and word in words


def _within(name: str, word: str, opposite: str, by_letters: Mapping[str, str]) -> str | None:
    """Return the class whose name has the opposite in place of the word, also inside words: `leftarrow`."""
    if min(len(word), len(opposite)) < 4:
        return None
    letters = name.casefold()
    return by_letters.get(letters.replace(word, opposite)) if word in letters else None


def _words(name: str) -> tuple[str, ...]:
    """Split a class name into lowercase words: `LeftArrow`, `left_arrow` and `left arrow` are (left, arrow).

    Names of digits and letters become that character: `digit_6`, `six` and `6 - six` are (6,).
    """
    if (sign := _sign(name)) is not None:
        return (sign,)
    return tuple(word.lower() for word in _split_words(name))


def _split_words(name: str) -> list[str]:
    """Split a name into words, keeping capitals; each Chinese character is a word."""
    joined = re.sub(r"(anti|counter)[\s_-]+(?=clock)", r"\1", name, flags=re.IGNORECASE)
    apart = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", " ", joined)
    return re.findall(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+", apart)


def _sign(name: str) -> str | None:
    """Return the digit or letter that a class name stands for, if any."""
    signs = {DIGITS.get(word.lower(), word) for word in _split_words(name) if word.lower() not in KINDS}
    sign = min(signs, default="")
    return sign if len(signs) == 1 and len(sign) == 1 and sign.isascii() else None


def _characters(classes: Sequence[str]) -> dict[str, str]:
    """Return the classes that are digits or letters with their characters, if at least half of the classes are."""
    signs = {name: sign for name in classes if (sign := _sign(name)) is not None}
    return signs if 2 * len(signs) >= len(classes) else {}


def _is_handled(op: Component, pair: Pair) -> bool:
    """Return whether `except` or `label_map` covers the pair."""
    handled = {*op.settings.get("except", ()), *swaps(op.settings.get("label_map", {}))}
    return all(name in handled for name in pair if name)


def _may(pairs: Sequence[Pair]) -> str:
    """Describe which classes may be changed into which."""
    both = [f"'{pair.name}' into '{pair.opposite}'" for pair in pairs if pair.opposite]
    alone = [f"'{pair.name}' into its opposite" for pair in pairs if not pair.opposite]
    return f"may turn {_shortened([*both, *alone])}"


def _remedy(op: Component, pairs: Sequence[Pair]) -> str:
    """Describe the changes to the experiment file that avoid the problem."""
    ways = ["remove it"]
    swapped = {pair.name: pair.opposite for pair in pairs if pair.opposite}
    if swapped and "label_map" in op.settings:
        ways.append(f"set label_map: {{{_shortened([f'{a}: {b}' for a, b in swapped.items()])}}}")
    if "except" in op.settings:
        names = [name for pair in pairs for name in pair if name]
        ways.append(f"set except: [{_shortened(names)}]" if names else "name them in except")
    return ", or ".join(ways)


def _shortened(items: Sequence[Any]) -> str:
    more = ", …" if len(items) > LISTED else ""
    return ", ".join(items[:LISTED]) + more
