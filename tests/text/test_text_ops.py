"""Each op by written-out examples: what it may make of a text, and nothing else."""

import re

import pytest
from passages import augmentation, draws, edited, outcomes, passage

from ftaug.text.augmentations.replacements import like


def test_delete_takes_a_space_along():
    op = augmentation("delete", share=0.1)
    assert outcomes("One two, three", op) == {"two, three", "One, three", "One two,"}
    assert outcomes("One two", augmentation("delete", share=1.0)) == {"One", "two"}
    assert outcomes("One", augmentation("delete", share=1.0)) == {"One"}
    assert outcomes("not two", augmentation("delete", share=1.0)) == {"not"}
    assert outcomes("我喜欢", op) == {"喜欢", "我欢", "我喜"}


def test_swap_exchanges_two():
    assert outcomes("One two, three", augmentation("swap", share=0.1)) == {
        "two One, three",
        "three two, One",
        "One three, two",
    }
    assert outcomes("One not two", augmentation("swap", share=1.0)) == {"two not One"}


def test_aeda_keeps_all_words():
    text = "a sad human comedy played out on the back roads"
    results = outcomes(text, augmentation("aeda"), 80)
    marks = [re.findall(r"[.;?:!,] ", result) for result in results]
    assert {re.sub(r"[.;?:!,] ", "", result) for result in results} == {text}
    assert {len(found) for found in marks} == {1, 2, 3}
    assert {mark for found in marks for mark in found} == {f"{mark} " for mark in ".;?:!,"}
    assert outcomes("电影", augmentation("aeda", marks=["!"])) == {"! 电影", "电!影"}


def test_mask_and_cutoff_show_the_mask():
    assert outcomes("One not two", augmentation("mask")) == {"[MASK] not two", "One not [MASK]"}
    assert outcomes("a b c d", augmentation("span_cutoff", share=0.5)) == {
        "[MASK] [MASK] c d",
        "a [MASK] [MASK] d",
        "a b [MASK] [MASK]",
    }
    assert outcomes("a b c d", augmentation("span_cutoff", share=0.5, by="delete")) == {"c d", "a d", "a b"}
    assert outcomes("a not c d", augmentation("span_cutoff", share=1.0)) == {"[MASK] not [MASK] [MASK]"}


def test_token_cutoff_hides_parts_of_words(lexicon):
    """The tokenizer of these tests splits words that it does not know into letters."""
    seen = passage("good abc", lexicon=lexicon)
    hidden = {"[MASK] abc", "good [MASK]bc", "good a[MASK]c", "good ab[MASK]"}
    assert outcomes(seen, augmentation("token_cutoff")) == hidden
    assert outcomes(seen, augmentation("token_cutoff", by="delete")) == {"abc", "good bc", "good ac", "good ab"}


def test_keyboard_hits_a_key_beside():
    assert outcomes("G", augmentation("keyboard"), 99) == set("TYFHVB")
    assert outcomes("ß!", augmentation("keyboard")) == {"ß!"}


def test_ocr_confuses_what_looks_alike():
    assert outcomes("born", augmentation("ocr"), 99) == {"bom", "6orn", "b0rn", "bOrn", "horn"}
    assert outcomes("mow", augmentation("ocr"), 99) == {"rnow", "m0w", "mOw", "movv"}


def test_characters_by_example():
    assert outcomes("abc", augmentation("swap_characters")) == {"bac", "acb"}
    assert outcomes("abc", augmentation("drop_characters")) == {"bc", "ac", "ab"}
    assert outcomes("ab", augmentation("insert_characters"), 99) == {"aab", "bab", "abb", "aba"}
    assert outcomes("ab", augmentation("repeat", times=2), 99) == {"aab", "aaab", "abb", "abbb"}
    assert outcomes("aBc", augmentation("change_case"), 99) == {"abc", "ABC", "Abc"}
    assert outcomes("aBc", augmentation("change_case", to="upper")) == {"ABC"}


def test_sentences_change_places_and_take_what_is_protected_along():
    text = "It is not bad.  I came! Fine?"
    results = outcomes(text, augmentation("shuffle_sentences"), 99)
    assert results == {
        "It is not bad.  Fine? I came!",
        "I came!  It is not bad. Fine?",
        "I came!  Fine? It is not bad.",
        "Fine?  It is not bad. I came!",
        "Fine?  I came! It is not bad.",
    }
    seen = passage(text)
    for sample in range(20):
        (draw,) = draws(seen, augmentation("shuffle_sentences"), sample)
        left = draw.output_view(seen)
        assert [left[span] for span in left.protected] == ["not"]


def test_crops_keep_what_is_protected():
    assert outcomes("One. Two. Three.", augmentation("crop_sentences", share=1 / 3), 60) == {"Two. Three.", "One. Two."}
    assert outcomes("One. Not two. Three.", augmentation("crop_sentences", share=1.0), 60) == {
        "Not two. Three.",
        "Not two.",
        "One. Not two.",
    }


def test_contractions_go_both_ways():
    expand = augmentation("contractions", share=1.0, direction="expand")
    contract = augmentation("contractions", share=1.0, direction="contract")
    for short, long in [
        ("It's fine, and they'll come", "It is fine, and they will come"),
        ("I'm here", "I am here"),
        ("IT'S fine", "IT IS fine"),
        ("Let's go", "Let us go"),
    ]:
        assert edited(short, expand) == long
        assert edited(long, contract) == short
    assert edited("it’s fine, we are late", contract) == "it’s fine, we’re late"
    assert outcomes("It isn't, and it's been", expand) == {"It isn't, and it's been"}
    assert outcomes("yes it is.", contract) == {"yes it is."}
    assert edited(passage("We can't, it isn't", protected=()), expand) == "We cannot, it is not"
    assert edited(passage("It is not so", protected=()), contract) == "It's not so"


def test_numbers_keep_their_shape():
    for text in ["1,250.00", "007", "٣٤", "0", "9"]:
        for sample in range(30):
            found = edited(text, augmentation("numbers"), sample)
            assert found != text
            assert re.sub(r"\d", "d", found) == re.sub(r"\d", "d", text)
            assert re.match(r"0*", found)[0] == re.match(r"0*", text)[0] or text == "0"
    assert edited("٣٤", augmentation("numbers"))[0] in "١٢٣٤٥٦٧٨٩"
    assert outcomes("B2B and 2nd", augmentation("numbers")) == {"B2B and 2nd"}


def test_capitals_stay():
    assert [like(*pair) for pair in [("Cat", "dog"), ("CAT", "dog"), ("cat", "Dog"), ("I", "we"), ("Eis", "ßa")]] == [
        "Dog",
        "DOG",
        "Dog",
        "We",
        "Ssa",
    ]


def test_synonyms_of_a_table(tables):
    op = augmentation("synonyms", **{"from": str(tables / "words.csv"), "share": 1.0})
    assert outcomes("Good GOOD movies", op, 99) == {
        f"{first} {second} movies" for first in ("Fine", "Great") for second in ("FINE", "GREAT")
    }
    assert outcomes("In New  York, a movie", op) == {"In Gotham, a film"}
    assert outcomes("unknown", op) == {"unknown"}


def test_inserts_words(tables):
    assert outcomes("a b", augmentation("insert")) == {"a a b", "b a b", "a b b"}
    op = augmentation("insert", **{"from": str(tables / "words.csv")})
    assert outcomes("good x", op, 99) == {"fine good x", "great good x", "good fine x", "good great x"}


def test_paraphrases_keep_negations(tables):
    op = augmentation("paraphrases", **{"from": str(tables / "texts.jsonl"), "probability": 1.0})
    assert outcomes(" It was  not good. ", op) == {" This was not great. "}
    assert outcomes(passage("It was not good.", protected=()), op) == {"This was not great.", "That was poor."}
    assert outcomes("A fine film", op) == {"A good movie"}
    assert outcomes("another", op) == {"another"}


@pytest.mark.parametrize(
    ("settings", "text", "kept"),
    [
        ({}, "It isn't No 1, never WITHOUT 'em", ["isn't", "No", "never", "WITHOUT"]),
        ({"negations": False}, "not", []),
        ({"labels": True, "negations": False}, "World news of sports", ["World news"]),
        ({"words": ["new york", "c++"]}, "New York, C++ new", ["New York", "C++"]),
        ({"patterns": [r"\d+ (?:mg|ml)"]}, "take 20 mg now", ["20 mg"]),
        ({"entities": ["numbers"]}, "in 1,250 B2B -3.5 % 10:30", ["1,250", "-3.5 %", "10:30"]),
        ({"entities": ["urls", "emails"]}, "at https://a.b/c?d or x.y@z.org", ["https://a.b/c?d", "x.y@z.org"]),
        ({"entities": ["mentions", "tags"]}, "@me #now a@b", ["@me", "#now"]),
        ({"entities": ["names"]}, "saw Anna Karenina in Zürich", ["Anna Karenina", "Zürich"]),
    ],
)
def test_protects(settings, text, kept):
    (draw,) = draws(passage(text, labels=("world_news",)), augmentation("protect", **settings))
    assert [text[span.start : span.end] for span in draw.spans] == kept


def test_equal_sentences_do_not_change_places():
    """Nothing is counted as a change that changes nothing."""
    for sample in range(20):
        assert not draws(passage(". ."), augmentation("shuffle_sentences"), sample)
