"""Figures of what an op does to texts, against texts of which they can be counted."""

from ftaug.text.edits import Edit
from ftaug.text.preview.statistics import Effect, _character_share, _wiped_out, _word_share
from ftaug.text.preview.trials import Change, Trial


def trial(text, *edits, second=None):
    changes = [Change(text, tuple(Edit(*edit) for edit in edits))]
    return Trial(0, tuple(changes + ([Change(second)] if second is not None else [])), {"op": {}})


def test_shares_of_characters_and_words():
    assert _character_share(trial("0123456789", (2, 4, ""), (5, 5, "ab"), (8, 9, "xyz"))) == 0.7
    assert _word_share(trial("one two three four", (4, 7, "zwei"))) == 1 / 4
    assert _word_share(trial("one two three four", (4, 8, ""), (14, 18, "vier fünf"))) == 3 / 4
    assert _word_share(trial("one two three four", (4, 4, "and "))) == 1 / 4
    assert _word_share(trial("one two", (1, 2, "m"))) == 1 / 2, "a letter is changed: so is its word"
    assert _word_share(trial("one two", (3, 3, ","), (4, 4, "; "))) == 0, "marks are no words"
    assert _word_share(trial("one two", (0, 7, ""), second="three four")) == 2 / 4
    assert _character_share(trial("")) == _word_share(trial("")) == 0


def test_a_text_is_wiped_out_where_no_word_of_it_is_left():
    assert _wiped_out(trial("one two", (0, 7, "")))
    assert _wiped_out(trial("one two", (0, 3, "onne"), (4, 7, "tvo")))
    assert not _wiped_out(trial("one two", (0, 7, "ONE TWO"))), "capitals do not matter"
    assert not _wiped_out(trial("one two", (0, 3, "x")))
    assert not _wiped_out(trial("!?", (0, 2, "")))


def test_what_a_person_is_warned_of():
    def warning(fired=1.0, unchanged=0.0, wiped_out=0.0):
        return Effect("swap", 24, fired, 0.1, 0.1, unchanged, wiped_out).warning

    assert warning() is None
    assert warning(fired=0.0) == "swap did nothing in 24 tries: raise its probability, or leave it out"
    assert warning(unchanged=1.0) == "swap changes none of these texts: make it stronger, or leave it out"
    assert warning(wiped_out=0.5) == "swap removes nearly all words in 50% of the texts: make it weaker"
