"""Words, characters and sentences: the rules of Unicode, against the library that knows them, and by example."""

from itertools import pairwise

import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from ftaug.text.segmentation import characters_of, sentences_of, words_of

ODD = " \t\n\r'’.,:;_\u200d\u0301\u00a0\u202f\u2028aAb19א\"👍🏽ℹ🇩🇪中ガ"


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(ODD)), max_size=12))
def test_words_are_those_of_the_whole_text(text):
    """They are found between spaces, over which the rules let no word reach; and they do not end inside a character."""
    bounds = [match.start() for match in regex.finditer(r"\b", text, flags=regex.WORD | regex.UNICODE)]
    whole = {0, *(match.end() for match in regex.finditer(r"\X", text))}
    whole |= {at + 1 for at, character in enumerate(text) if character in " \t\n\r"}  # even before a lone mark
    bounds = [at for at in bounds if at in whole]
    runs = ((a, b) for a, b in pairwise(bounds) if regex.search(r"[\p{L}\p{N}]", text[a:b]))
    assert words_of(text) == tuple(runs)


def split(text, spans):
    return [text[start:end] for start, end in spans]


def test_words_by_example():
    for text, words in [
        ("don't stop, 1,234.50 naïve e\u0301te\u0301!", ["don't", "stop", "1,234.50", "naïve", "e\u0301te\u0301"]),
        ("我喜欢电影。", ["我", "喜", "欢", "电", "影"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("👍🏽 ok", ["ok"]),
        ("กำลัง", ["กำ", "ลั", "ง"]),
        ("", []),
    ]:
        assert split(text, words_of(text)) == words


def test_characters_by_example():
    assert characters_of("e\u0301👍🏽x") == ("e\u0301", "👍🏽", "x")


def test_sentences_by_example():
    for text, sentences in [
        ("One. Two! Three?", ["One. ", "Two! ", "Three?"]),
        ("Dr. Who met J. Smith. Fine.", ["Dr. Who met J. Smith. ", "Fine."]),
        ("It cost 3.50 approx. in all.", ["It cost 3.50 approx. in all."]),
        ('He said "No." She left.', ['He said "No." ', "She left."]),
        ("我来。你走！", ["我来。", "你走！"]),
        ("Title\n\nText", ["Title\n\n", "Text"]),
        ("", []),
    ]:
        assert split(text, sentences_of(text)) == sentences
