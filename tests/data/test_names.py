"""When names are equal, which are twins, and in which order classes stand."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftaug.data import names


@pytest.mark.parametrize(
    "blank", [" ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2009", "\ufeff", "\u200b", " \u200b "]
)
def test_blanks_at_the_ends_do_not_count(blank):
    assert names.normalized(f"{blank}new york{blank}") == "new york"


def test_unicode_forms_are_one_name_and_case_is_not():
    assert names.normalized("cafe\u0301") == names.normalized("caf\u00e9") == "caf\u00e9"
    assert names.normalized("Cat") != names.normalized("cat")


@given(st.text(max_size=20))
def test_a_normalized_name_is_stable_and_nfc(text):
    name = names.normalized(text)
    assert names.normalized(name) == name == unicodedata.normalize("NFC", name)
    assert names.folded(name) == names.folded(text)


def test_twins_are_those_that_a_person_takes_for_one_name():
    listed = [
        "cat",
        "dog",
        "Cat",
        "new york",
        "new\u00a0 york",
        "1",
        "1.0",
        "7",
        "007",
        "stra\u00dfe",
        "STRASSE",
        "\uff21",
        "a",
    ]
    assert names.twins(listed) == [
        *(["cat", "Cat"], ["new york", "new\u00a0 york"], ["1", "1.0"], ["stra\u00dfe", "STRASSE"], ["\uff21", "a"]),
    ]


def test_numbers_stand_in_the_order_of_their_values_and_other_names_in_that_of_their_bytes():
    assert names.ordered(str(n) for n in range(12, 0, -1)) == [str(n) for n in range(1, 13)]
    assert names.ordered(["10", "-1", "2.5", "+3", "007", "7"]) == ["-1", "2.5", "+3", "007", "7", "10"]
    assert names.ordered(["10", "9", "x"]) == ["10", "9", "x"]
    assert names.ordered(["\u00e9", "z", "B", "a"]) == ["B", "a", "z", "\u00e9"]


@pytest.mark.parametrize("written", ["Validation", " valid ", "val\u00a0", "DEV", "dev\ufeff"])
def test_names_of_splits(written):
    assert names.split_name(written) == "val" and names.is_split(written)
    assert names.split_name(" Holdout ") == "holdout" and not names.is_split("Holdout")


@pytest.mark.parametrize("written", ["", " ", "\u00a0", "None", "none", "nan", "NaN", "null", "NULL", "<NA>", "N/A"])
def test_missing_values_however_they_are_written(written):
    assert names.is_missing(written)
    assert not names.is_missing("NA")  # Namibia
