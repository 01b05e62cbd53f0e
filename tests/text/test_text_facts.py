import pytest

from ftaug.text.text_facts import script_of, text_facts
from ftaug.text.types import Text


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Grüße, Jürgen 123", "latin"),
        ("привет мир ok", "cyrillic"),
        ("漢字とかな漢字", "cjk"),
        ("안녕하세요", "hangul"),
        ("مرحبا", "arabic"),
        ("12:30 !? 🙂", "none"),
        ("", "none"),
    ],
)
def test_the_script_is_that_of_most_letters(text, script):
    assert script_of(text) == script


def test_the_length_of_a_pair_is_that_of_both():
    assert text_facts(Text("abc", "de")) == {"length": 5.0, "script": "latin"}
    assert text_facts(Text("abc")) == {"length": 3.0, "script": "latin"}
