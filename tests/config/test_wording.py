"""Texts of values in messages."""

import pytest

from ftaug.config.wording import listed


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b", "c"], "a, b, c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
        (["a"] * 2003, "a, a, a and 2,000 more"),
    ],
)
def test_listed_names_the_first_and_counts_the_rest(names, text):
    assert listed(names, 3) == text
