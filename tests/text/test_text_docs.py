"""The examples in docs/text-augmentation.md are possible results of the ops."""

import re
from pathlib import Path

import pytest
from passages import OPS, augmentation, outcomes

PAGE = (Path(__file__).parents[2] / "docs" / "text-augmentation.md").read_text()
EXAMPLE = re.search(r"with its defaults, for `(.*?)`", PAGE)[1]
ROWS = re.findall(r"^\| `(\w+)` \| `(.*?)` \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("name", "result"), ROWS)
def test_gives_what_the_page_says(name, result):
    assert result in outcomes(EXAMPLE, augmentation(name))


def test_every_op_is_on_the_page():
    assert not [name for name in OPS if f"`{name}" not in PAGE]


def test_every_op_has_its_source():
    page = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text()
    assert not [name for name in OPS if f"`{name}`" not in page]
