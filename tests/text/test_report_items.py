import numpy as np

from ftaug.interfaces.explanation import Attribution, Explanation
from ftaug.text.backbones.tiny_text import TOKENIZER
from ftaug.text.report_items import MOST_CHARACTERS, MOST_EXPLAINED, explained_item, report_item
from ftaug.text.tokenizer import encoder
from ftaug.text.types import Text

PREPROCESSING = {"tokenizer": TOKENIZER.read_text(), "max_length": 32}


def explained(raw, values):
    attribution = Attribution(np.array(values, np.float64))
    return explained_item(Explanation("a", raw, "predicted a", "a", "m", attribution), PREPROCESSING, "labeled b")


def test_texts_and_pairs_without_a_weight():
    item = report_item(Text("a list", "of names"), "labeled b")
    assert item.spans == [("a list", 0.0), ("\n\n", 0.0), ("of names", 0.0)]
    assert item.caption == "labeled b"


def test_words_are_weighted_relative_to_the_strongest():
    raw = Text("a list ", "the name")
    tokens = encoder(PREPROCESSING["tokenizer"], 32)(raw).shape[1]
    assert tokens == 7  # [CLS] a list [SEP] the name [SEP]
    item = explained(raw, [9, 1, -4, 9, 0, 2, 9])
    assert item.spans == [
        *[("a", 0.25), (" ", 0.0), ("list", -1.0), (" ", 0.0), ("\n\n", 0.0)],
        *[("the", 0.0), (" ", 0.0), ("name", 0.5)],
    ]


def test_values_of_zero():
    assert explained(Text("a list"), [0] * 4).spans == [("a", 0.0), (" ", 0.0), ("list", 0.0)]


def test_the_rest_of_a_long_text_is_left_out():
    (span,) = report_item(Text("x" * 3000), "").spans
    assert span == ("x" * MOST_CHARACTERS + "…", 0.0)
    text = "".join(span for span, _ in explained(Text("word " * 1000), np.ones(32)).spans)
    assert text == ("word " * 1000)[:MOST_EXPLAINED] + "…"
