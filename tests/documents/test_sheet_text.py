import numpy as np
from PIL import Image, ImageDraw

from ftaug.documents.sheet_text import fitting_size, font, height, wrap, write


def test_long_names_are_wrapped_and_none_of_them_is_cut():
    name = "folder/" + "a_very_long_name_without_a_space" * 6 + ".png"
    lines = wrap(name, font(12), 300)
    assert "".join(lines) == name
    assert all(font(12).getlength(line) <= 300 for line in lines)


def test_words_are_wrapped_at_spaces_and_long_ones_at_their_parts():
    assert wrap("one two three", font(12), font(12).getlength("one two")) == ["one two", "three"]
    room = font(12).getlength("letters.train[2")
    assert wrap("of letters.train[25]", font(12), room) == ["of", "letters.", "train[25]"]


def test_names_are_one_text_without_control_characters():
    assert wrap("line\nbreak\x1b", font(12), 300) == ["line break\\x1b"]


def test_a_text_is_as_high_as_it_is_said_to_be():
    sheet = Image.new("RGB", (200, 100), "white")
    text = "several words that have three lines"
    below = write(ImageDraw.Draw(sheet), 0, 0, text, 12, 100, "black")
    assert below == height(text, 12, 100) == 3 * 16
    dark = (np.asarray(sheet) < 128).all(axis=2)
    assert dark[32:48].any() and not dark[48:].any() and not dark[:, 100:].any()
    assert height("", 12, 100) == 0


def test_the_size_is_the_largest_in_which_words_fit():
    room = round(font(13, True).getlength("horizontal_flip"))
    assert fitting_size("horizontal_flip now", (15, 13, 11), room + 1) == 13
    assert fitting_size("x" * 99, (15, 13, 11), room) == 11
