"""Sketches of texts."""

from ftaug.text.data_health import sketch
from ftaug.text.types import Text


def test_the_digest_is_that_of_the_texts():
    assert sketch(Text("a b")).digest == sketch(Text("a b")).digest
    different = [Text("ab"), Text("a b"), Text("a", "b"), Text("b", "a")]
    assert len({sketch(text).digest for text in different}) == 4
    assert sketch(Text("abc", "de")).facts == (5,)
