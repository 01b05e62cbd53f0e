"""Lists on the command line."""

import pytest

from ftaug.config.value_lists import parse_list
from ftaug.errors import ExperimentError


def test_values_are_texts_of_overrides_and_each_is_there_once():
    texts = ("rotate, {shear: {x: 10, y: [1, 2]}}", "timm/a.b_c", "rotate")
    assert parse_list("--add", texts, "flip") == ["rotate", "{shear: {x: 10, y: [1, 2]}}", "timm/a.b_c"]


@pytest.mark.parametrize("text", ["{", "a,,b", "a]", "{a: &x 1}"])
def test_errors_name_the_option_and_an_example(text):
    with pytest.raises(ExperimentError) as error:
        parse_list("--add", [text], "flip")
    assert str(error.value).startswith(f"--add '{text}': ")
    assert str(error.value).endswith("; expected names such as flip")
