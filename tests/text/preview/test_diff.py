"""Differences between texts: whatever they are, they lead from one to the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftaug.text.edits import Edit, Edits, Passage, Protection, Span
from ftaug.text.preview.diff import CUT, Piece, by_words, composed, pieces, shortened

TEXTS = st.text(st.sampled_from("ab cA, .!\n猫é🙂"), max_size=30)


def before(parts):
    return "".join(piece.before for piece in parts)


def after(parts):
    return "".join(piece.after for piece in parts)


@st.composite
def several_draws(draw):
    """A text, and draws each of which edits what those before it left."""
    text = seen = draw(TEXTS)
    draws = []
    for _ in range(draw(st.integers(0, 4))):
        bounds = sorted(draw(st.lists(st.integers(0, len(seen)), max_size=6)))
        spans = list(zip(bounds[::2], bounds[1::2], strict=False))
        draws.append(Edits(tuple(Edit(a, b, draw(st.text("xyz ", max_size=3))) for a, b in spans)))
        seen = Passage(seen).edited(draws[-1].edits).text
    return text, seen, draws


@given(several_draws())
def test_edits_that_follow_one_another_become_edits_of_the_text(case):
    text, result, draws = case
    edits = composed(text, draws)
    assert Passage(text).edited(edits).text == after(pieces(text, edits)) == result
    assert before(pieces(text, edits)) == text
    assert all(text[start:end] != new for start, end, new in edits)


@pytest.mark.parametrize(
    ("draws", "edits"),
    [
        ([[(0, 3, "one")]], [(0, 3, "one")]),
        ([[(0, 3, "one")], [(0, 3, "uno")]], [(0, 3, "uno")]),
        ([[(3, 3, " and")], [(3, 7, "")]], []),
        ([[(0, 4, "")], [(0, 3, "BIG")]], [(0, 7, "BIG")]),
        ([[(0, 3, "the"), (4, 7, "dog")]], [(4, 7, "dog")]),
        ([[(8, 11, "")], [(0, 0, "a ")]], [(0, 0, "a "), (8, 11, "")]),
    ],
)
def test_what_is_left_of_edits_upon_edits(draws, edits):
    made = [Edits(tuple(Edit(*edit) for edit in one)) for one in draws]
    assert composed("the big cat", [Protection((Span(0, 1),)), *made]) == tuple(edits)


@given(TEXTS, TEXTS)
def test_word_edits_lead_from_one_text_to_the_other(old, new):
    edits = by_words(old, new)
    assert after(pieces(old, edits)) == new
    assert (edits == ()) == (old == new)


@pytest.mark.parametrize(
    ("old", "new", "edits"),
    [
        ("a good film", "a bad film", [(2, 6, "bad")]),
        ("a good film", "a film", [(2, 7, "")]),
        ("a film", "a very good film", [(2, 2, "very good ")]),
        ("well, yes", "well; yes", [(4, 5, ";")]),
        ("it's naïve", "it is naïve", [(0, 4, "it is")]),
        ("the cat saw the dog", "the dog saw the dog", [(4, 7, "dog")]),
    ],
)
def test_words_are_changed_whole(old, new, edits):
    assert by_words(old, new) == tuple(edits)


def test_long_texts_are_compared_in_no_time():
    words = [f"word{i % 300}" for i in range(6000)]
    assert len(by_words(" ".join(words), " ".join([*words[:3000], "new", *words[3001:]]))) == 1


def test_of_long_stretches_what_is_next_to_a_change_remains():
    long = " ".join(f"w{i}" for i in range(100))
    first, change, middle, last = shortened(
        [Piece(long, long), Piece("a", "b"), Piece(long, long), Piece(long, long)], 40
    )
    assert change == Piece("a", "b")
    assert first.before.startswith(CUT) and first.before.endswith("w98 w99")
    assert middle.before.startswith("w0 w1") and CUT in middle.before and middle.before.endswith("w99")
    assert last.before.startswith("w0 w1") and last.before.endswith(CUT)
    assert all(part.kept and len(part.before) < 60 for part in (first, middle, last))
    assert shortened([Piece("x" * 500, "x" * 500)], 40)[0].before == "x" * 20 + f" {CUT} " + "x" * 20
    assert shortened([Piece(long, "")], 40) == [Piece(long, "")]
