"""What a share promises, for every op of the registry that has one: how many, how often, where, and whole characters.

The bounds are such that a right op passes in all but one of a million runs.
"""

import unicodedata
from bisect import bisect_right
from collections import Counter

import numpy as np
import pytest
import regex
import scipy.stats
from passages import OPS, augmentation, draws, edited, passage

from ftaug.config.registry import REGISTRIES

WITH_SHARE = [name for name in OPS if "share" in REGISTRIES["augmentation", "text"][name].settings()]
VARIANTS = [(name, {}) for name in WITH_SHARE] + [(name, {"by": "delete"}) for name in ("span_cutoff", "token_cutoff")]
every_op = pytest.mark.parametrize(("name", "settings"), VARIANTS, ids=lambda value: str(value or ""))
NOT_AT_LEAST_ONE = {"crop_sentences"}
SLOW = {"masked_fill"}
"""Ops of some ten milliseconds a draw."""

ACCENTS, HANGUL = "Les élèves âgés étaient gênés à la forêt", "저는 이 영화를 정말 좋아합니다"
SCRIPTS = {
    "nfc": ACCENTS,
    "nfd": unicodedata.normalize("NFD", ACCENTS),
    "accents alone": unicodedata.normalize("NFD", "é à ö é ü"),
    "hindi": "मुझे यह फ़िल्म बहुत पसंद आई और कहानी अच्छी थी",
    "arabic": "كان الفيلم جميلا جدا وأحببت القصة",
    "vowel points": "كَانَ الفِيلمُ جَمِيلًا",
    "thai": "ฉันชอบภาพยนตร์เรื่องนี้มาก",
    "chinese": "我喜欢这部电影因为故事很好",
    "hangul": HANGUL,
    "jamo": unicodedata.normalize("NFD", HANGUL),
    "emoji": "great 👩‍👩‍👧‍👦 film 👍🏽 and 🇩🇪 story 1️⃣ ok",
    "equal": "no go go go go go",
    "pair": "aa bb aa",
    "sentences": "Go. Go. Go. It's 12. Go. Go.",
    "long words": "unbelievably incomprehensibilities",
    "one word": "wonderful",
    "protected": "No film is not never without good",
}
VOCABULARY = "the movie film good bad great fine is was are and of story we they dog cat it very really people"
ITEMS = 40
TEXTS = {
    "ocr": " ".join(f"{a}o{b}" for a in "bdfg" for b in "aeiouknmts"),
    "numbers": " ".join(str(100 + i) for i in range(ITEMS)),
    "contractions": " ".join(["it's", "they'll", "we're", "I'm"] * (ITEMS // 4)),
    "shuffle_sentences": " ".join(f"Sentence {i} here." for i in range(ITEMS)),
    "crop_sentences": " ".join(f"Sentence {i} here." for i in range(ITEMS)),
}
WORDS = " ".join((VOCABULARY.lower() + " " + VOCABULARY.upper()).split()[:ITEMS])
"""Words that the tokenizer of these tests has as one token; no two are the same."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An op; synonyms come from a table that has each word of the texts."""
    path = tmp_path_factory.mktemp("shares") / "words.csv"
    words = sorted({*WORDS.lower().split(), *["great", "film", "story", "ok", "no", "go", "wonderful"]})
    path.write_text("word,synonym\n" + "".join(f"{word},{word.title()}\n{word},{word}ly\n" for word in words))
    given = {"synonyms": {"from": str(path)}}
    return lambda name, **settings: augmentation(name, **given.get(name, {}), **settings)


def visible(text):
    """What a person sees: characters, whichever way they are encoded."""
    return regex.findall(r"\X", unicodedata.normalize("NFC", text))


@every_op
@pytest.mark.parametrize("script", SCRIPTS)
def test_changes_whole_characters_wherever_it_can(name, settings, script, made, lexicon):
    text, tries = SCRIPTS[script], 4 if name in SLOW else 40
    seen = passage(text, protected=None if script == "protected" else (), lexicon=lexicon)
    some = [edited(seen, made(name, share=0.1, **settings), sample) for sample in range(tries)]
    most = [edited(seen, made(name, share=1.0, **settings), sample) for sample in range(tries)]
    assert not draws(seen, made(name, share=0.0, **settings))
    if any(visible(result) != visible(text) for result in most) and name not in NOT_AT_LEAST_ONE:
        assert all(visible(result) != visible(text) for result in [*some, *most])
    known = {character.casefold() for character in visible(text)}
    for result in {*some, *most}:
        assert regex.search(r"[\p{L}\p{N}]", result), result
        assert {c.casefold() for c in visible(result) if not c.isascii()} <= known, result


def number_changed(name, before, result):
    """How many words or sentences differ, went, or came."""
    if name == "aeda":
        return len(regex.findall(r"[.;?:!,]", result))
    old, new = (text.split(".") if "sentences" in name else text.split() for text in (before, result))
    return sum(map(str.__ne__, old, new)) if len(old) == len(new) else abs(len(old) - len(new))


def expected(name, share):
    """The mean number of what changes, and the least and the most."""
    low, high = int(share * ITEMS), -int(-share * ITEMS // 1)
    if name == "aeda":
        return (1 + low) / 2, 1, low
    if name == "shuffle_sentences":  # one in the mean stays in a random order
        return share * ITEMS - 1, 2, high
    return share * ITEMS, low, high


@every_op
@pytest.mark.parametrize("count", [2000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_the_share_is_the_mean_and_every_place_is_as_likely(name, settings, count, made, lexicon):
    text, share = TEXTS.get(name, WORDS), 0.33
    count = count // 20 if name in SLOW else count
    seen = passage(text, protected=(), lexicon=lexicon)
    ends = [word.end for word in seen.words]
    op = made(name, share=share, **settings)
    numbers, places = [], Counter()
    for sample in range(count):
        drawn = draws(seen, op, sample)
        (draw,) = drawn
        numbers.append(number_changed(name, text, draw.output_view(seen).text))
        places.update(bisect_right(ends, edit.start) for edit in draw.edits)
    mean, least, most = expected(name, share)
    error = 4.9 * np.std(numbers) / np.sqrt(count)
    assert abs(np.mean(numbers) - mean) < max(0.01 * mean, error), np.mean(numbers)
    assert least <= min(numbers) and max(numbers) <= most
    if name not in ("span_cutoff", "crop_sentences"):  # whose edits are side by side
        hits = np.array([places[i] for i in range(len(ends))])
        hits = hits[hits > 0] if "sentences" in name else hits
        assert scipy.stats.chisquare(hits).pvalue > 1e-6


def test_repeats_as_often_as_it_says():
    op, count = augmentation("repeat", share=1.0, times=3), 2000
    times = Counter(len(edited("aa", op, sample)) - 2 for sample in range(count))
    assert set(times) == {1, 2, 3}
    assert scipy.stats.chisquare(list(times.values())).pvalue > 1e-6


def test_an_odd_number_of_words_changes_places():
    """All three, in a ring; and of equal words those that can."""
    assert {edited("a b c", augmentation("swap", share=1.0), sample) for sample in range(40)} == {"b c a", "c a b"}
    for text, number in [("a a b", 2), ("a a b b", 4), ("a a a b c", 4), ("a a b b c", 5), ("a a a", 0)]:
        for sample in range(40):
            result = edited(text, augmentation("swap", share=1.0), sample)
            assert number_changed("swap", text, result) == number
            assert Counter(result.split()) == Counter(text.split())
