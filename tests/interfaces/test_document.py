from typing import get_args

import pytest
from documents import Reader, blocks, report

from ftaug.documents.html_report import html_of
from ftaug.documents.markdown import MarkdownWriter
from ftaug.interfaces.document import Block


def test_every_kind_of_block_is_written_in_every_format():
    assert {type(block) for block in blocks()} == set(get_args(Block))
    assert all("word" in html_of(block) for block in blocks("word"))
    markdown = MarkdownWriter("files").write(report("word"))
    assert markdown.count("word") >= len(blocks())
    with pytest.raises(TypeError):
        html_of(Reader(""))
