from html.parser import HTMLParser

import numpy as np

from ftaug.attribution.page import page
from ftaug.interfaces.explanation import Attribution, Explanation

HOSTILE = '<script>alert("1")</script>\x1b[31m&'


class Reader(HTMLParser):
    """The tags of a page, its text, and whatever it would load."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.texts.append(data)


def test_names_are_escaped_and_nothing_is_loaded():
    each = Explanation(HOSTILE, None, HOSTILE, HOSTILE, "occlusion", Attribution(np.zeros((2, 2))))
    reader = Reader()
    reader.feed(page(HOSTILE, [(each, "<p>body</p>")]))
    assert "script" not in reader.tags
    assert sum('<script>alert("1")</script>' in text for text in reader.texts) == 5  # twice in head and heading
    assert not any("\x1b" in text for text in reader.texts)
    assert reader.links == []
    assert "body" in reader.texts


def test_the_completeness_error_is_shown():
    each = Explanation("a", None, "b", "c", "d", Attribution(np.zeros(2), {"completeness_error": 0.0123}))
    assert "completeness error 1.2%" in page("title", [(each, "")])
