import re

import pytest
from documents import HOSTILE, PNG, Reader, blocks, report

from ftaug.documents.html_report import NUMBER, html_of, page
from ftaug.interfaces.document import DataTable, HighlightedText, Paragraph, Report


def test_hostile_names_are_text_and_nothing_is_loaded():
    html = page(report())
    reader = Reader(html)
    assert len(reader.of("script")) == 1  # that of the page, which sorts tables
    shown = sum("<script>alert" in each for each in reader.texts)
    assert shown >= 20
    assert not any(c in html for c in "\x1b\u202e\u200f")
    sources = [attrs[key] for _, attrs in reader.elements for key in ("src", "href") if key in attrs]
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
    assert not any(name.startswith("on") for _, attrs in reader.elements for name in attrs)


def test_every_picture_and_chart_has_a_text():
    reader = Reader(page(report("plain")))
    assert [img["alt"] for img in reader.of("img")] == ["plain"] * 2
    assert [svg["aria-label"] for svg in reader.of("svg")] == ["plain"] * 4
    assert all(svg["role"] == "img" for svg in reader.of("svg"))


def test_every_block_has_its_element():
    html = [html_of(block) for block in blocks("a")]
    starts = [
        "<p>",
        "<pre",
        '<p class="caption">',
        "<figure><img",
        "<figure",
        "<figure",
        "<figure>",
        "<p>a</p>",
        "<div",
    ]
    assert [each.startswith(start) for each, start in zip(html, starts, strict=True)] == [True] * len(html)
    assert "iVBOR" in html[3] and PNG[1:4] == b"PNG"
    assert html[8].startswith('<div class="charts">') and html[7].count("<figure>") == 2
    with pytest.raises(TypeError):
        html_of(object())


def test_numbers_are_aligned_and_intervals_set_apart():
    table = html_of(DataTable(("a", "b", "c"), [("x", "1,078", "yes"), ("y", "0.5 [0.4–0.6]", "1")]))
    assert '<td class="number">1,078</td><td>yes</td>' in table
    assert '<td class="number">0.5 <span class="interval">[0.4–0.6]</span></td>' in table
    assert '<th scope="row">x</th>' in table and '<th scope="col" class="number">b</th>' in table


@pytest.mark.parametrize("cell", ["1", "1,078", "+0.01", "−3", "12.3 %", "1e-05", "<0.0001", "–", "·", "", "3.2%"])
def test_cells_that_read_as_numbers(cell):
    assert NUMBER.fullmatch(cell)


@pytest.mark.parametrize("cell", ["a", "a1", "step-0000068", "digits (per_class 4)", "2 cats"])
def test_cells_that_do_not(cell):
    assert not NUMBER.fullmatch(cell)


def test_only_long_tables_scroll():
    short, tall = (html_of(DataTable(("a", "b"), [("x", "1")] * count)) for count in (25, 26))
    assert '"scroll"' in short and '"scroll tall"' in tall


def test_marked_spans_have_the_shade_of_their_weight():
    html = html_of(HighlightedText([("good", 1.0), (" and ", 0.0), ("bad", -1.0)], "caption"))
    assert re.sub(r"rgba\(.*?\)", "C", html) == (
        '<figure><p class="text" dir="auto"><mark style="background: C">good</mark> and '
        '<mark style="background: C">bad</mark></p><figcaption>caption</figcaption></figure>'
    )


def test_a_report_without_alerts_and_sections_has_no_box_for_them():
    reader = Reader(page(Report("title", "verdict", [], [])))
    assert reader.of("section") == []
    assert html_of(Paragraph(HOSTILE)).count("<") == 2
