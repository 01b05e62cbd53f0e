"""A report with one block of each kind, hostile names in all of them, and a reader of HTML."""

from html.parser import HTMLParser

from ftaug.interfaces.document import (
    Alert,
    BarChart,
    Code,
    DataTable,
    Gallery,
    HighlightedText,
    LineChart,
    Paragraph,
    Picture,
    Report,
    Section,
    Series,
)

HOSTILE = "<script>alert(\"1\")</script> | `a` *b* [c](d) 'e' &amp;\x1b[31m \u202egnp.exe\u200f\nnext"
PNG = b"\x89PNG\r\n\x1a\n"


def blocks(name=HOSTILE):
    line = LineChart([Series(name, [0, 1], [0, 1]), Series("", [0], [1], [0.5], [1], "points")], name, name, name, name)
    bars = BarChart([(name, 1.0, name), ("b", 2.0, "2")], name, name)
    picture = Picture(PNG, "image/png", name, name)
    text = HighlightedText([(name, 0.9), (" plain ", 0.0), (name, -0.9)], name)
    return [
        Paragraph(name),
        Code(name),
        DataTable(("name", name), [(name, name), ("b", "0.5 [0.4–0.6]")], name),
        picture,
        line,
        bars,
        text,
        Gallery([picture, text], name),
        Gallery([line, bars]),
    ]


def report(name=HOSTILE):
    sections = [Section("all", name, blocks(name), {"name": name})]
    return Report(name, name, [Alert("key", name, name)], sections, name, name, {"run": name})


class Reader(HTMLParser):
    """The elements of a page with their attributes, and its text outside of scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.texts, self.path = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "link", "br", "line", "rect", "circle", "polyline"):
            self.path.append(tag)

    def handle_endtag(self, tag):
        if self.path and self.path[-1] == tag:
            self.path.pop()

    def handle_data(self, data):
        if not {"script", "style"} & {*self.path[-1:]}:
            self.texts.append(data)

    def of(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]
