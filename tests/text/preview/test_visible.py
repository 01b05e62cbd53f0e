"""Invisible characters are shown, joiners and letters of all scripts stay."""

from ftaug.text.preview.visible import visible, visible_change


def test_odd_characters_are_made_visible():
    assert visible("naïve 猫 👩\u200d🚀 a\xa0b") == "naïve 猫 👩\u200d🚀 a\xa0b"
    assert visible("a\tb\u200bc") == "a\\tb\\u200bc"
    assert (visible_change("  "), visible_change(" a"), visible_change("\n")) == ("␣␣", " a", "⏎\n")


def test_text_cannot_turn_its_direction_or_move_the_cursor():
    assert visible("a\u202eb\x1b[2J\rc") == "a\\u202eb\\x1b[2J\\rc"
    assert visible("one\ntwo") == "one⏎\ntwo"
