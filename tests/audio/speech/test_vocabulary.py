"""Pronunciations: of known phonemes, and none of the words of `spoken` among the others."""

import pytest

from ftaug.audio.speech.phonemes import PAUSE, PHONEMES
from ftaug.audio.speech.vocabulary import OTHERS, SPOKEN, pronunciations


@pytest.mark.parametrize(("words", "count"), [(SPOKEN, 20), (OTHERS, 206)])
def test_words_are_distinct_and_pronounced(words, count):
    table = pronunciations(words)
    assert len(table) == count == len(set(table.values())) == words.count(",") + 1
    assert {name for word in table.values() for name in word} <= PHONEMES.keys() - {PAUSE}


def test_the_others_hold_no_word_of_spoken_and_all_phonemes():
    spoken, others = pronunciations(SPOKEN), pronunciations(OTHERS)
    assert not spoken.keys() & others.keys()
    assert not {*spoken.values()} & {*others.values()}
    assert {name for word in others.values() for name in word} == PHONEMES.keys() - {PAUSE}
