"""Reports as Markdown, read by an independent parser of CommonMark."""

import pytest
from documents import HOSTILE, PNG, Reader, report
from markdown_it import MarkdownIt

from ftaug.documents.markdown import MarkdownWriter, text


def rendered(markdown):
    return Reader(MarkdownIt("gfm-like", {"linkify": False}).render(markdown))


def test_hostile_names_are_text():
    writer = MarkdownWriter("report_files")
    reader = rendered(writer.write(report()))
    assert reader.of("script") == [] and reader.of("a") == []
    assert sum('<script>alert("1")</script> | `a` *b* [c](d)' in each for each in reader.texts) >= 10
    assert [len(reader.of(tag)) for tag in ("table", "tr", "th", "td")] == [1, 3, 2, 4]
    assert not any("\x1b" in each or "\u202e" in each for each in reader.texts)


def test_pictures_are_files_with_a_text():
    writer = MarkdownWriter("report_files")
    reader = rendered(writer.write(report("plain")))
    images = reader.of("img")
    assert [image["src"] for image in images] == [f"report_files/{name}" for name in writer.files]
    assert all(image["alt"] == "plain" for image in images)
    assert [name.partition(".")[2] for name in writer.files] == ["png", "svg", "svg", "png", "svg", "svg"]
    assert writer.files["all-1.png"] == PNG and writer.files["all-2.svg"].startswith(b"<svg xmlns")


@pytest.mark.parametrize(
    "name", ["+ a", "- a", "1. a", "1) a", "# a", "a\n\nb", "~~a~~", "<b>", "a\\", "!", "__a__", "$x$", "&lt;", HOSTILE]
)
def test_any_text_is_one_paragraph_with_the_same_words(name):
    reader = rendered(f"{text(name)}\n")
    assert [tag for tag, _ in reader.elements] == ["p"]
    shown = name.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e").replace("\u200f", "\\u200f")
    assert "".join(reader.texts).split() == shown.split()


def test_weights_are_bold_and_italic():
    writer = MarkdownWriter("f")
    markdown = writer.write(report("word"))
    assert "**word** plain *word*" in markdown


def test_code_with_fences_stays_code():
    markdown = MarkdownWriter("f").write(report("a ``` b"))
    assert "````\na ``` b\n````" in markdown
