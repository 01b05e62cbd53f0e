import numpy as np
import pytest

from ftaug.text.backbones.tiny_text import TOKENIZER
from ftaug.text.explanation.words import words
from ftaug.text.tokenizer import encoder
from ftaug.text.types import Text


def preprocessing(max_length=64):
    return {"tokenizer": TOKENIZER.read_text(), "max_length": max_length}


def values_of(raw, max_length=64):
    return np.arange(encoder(preprocessing()["tokenizer"], max_length)(raw).shape[1], dtype=float)


def test_words_lie_where_the_text_has_them_and_their_tokens_add_up():
    raw = Text("Returns a  Überstring,\nunbelievablyzz!")
    values = values_of(raw)
    located = words(raw, values, preprocessing())
    assert [raw.first[word.start : word.end] for word in located] == [word.text for word in located]
    assert [word.text for word in located] == ["Returns", "a", "Überstring", ",", "unbelievablyzz", "!"]
    assert sum(word.value for word in located) == values[1:-1].sum()  # without [CLS] and [SEP]
    assert len(values) > len(located) + 2  # a word of several tokens


def test_words_of_a_pair():
    raw = Text("a list", "the other")
    located = words(raw, values_of(raw), preprocessing())
    assert [(word.sequence, word.text) for word in located] == [(0, "a"), (0, "list"), (1, "the"), (1, "other")]


def test_what_is_cut_off_has_no_words():
    raw = Text("a list of names " * 10)
    located = words(raw, values_of(raw, 8), preprocessing(8))
    assert [word.text for word in located] == ["a", "list", "of", "names", "a", "list"]
    assert located[-1].end <= len(raw.first)


@pytest.mark.parametrize("spaced", ["a list", " a list"])
def test_spaces_are_no_part_of_words(spaced):
    raw = Text(spaced)
    assert [word.text for word in words(raw, values_of(raw), preprocessing())] == ["a", "list"]
