import re
from base64 import b64encode
from hashlib import sha256

from documents import HOSTILE, Reader

from ftaug.documents.html_page import page, text


def policy(html):
    return re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]


def test_nothing_may_be_loaded_and_no_script_but_its_own_may_run():
    assert policy(page("a", [])) == "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"
    html = page("a", ["<p>b</p>"], "p { margin: 0; }", "alert(1)")
    digest = b64encode(sha256(b"alert(1)").digest()).decode()
    assert policy(html).endswith(f"img-src data:; media-src data:; script-src 'sha256-{digest}'")
    assert "<script>alert(1)</script>" in html


def test_a_title_is_escaped_and_the_page_fits_phones():
    reader = Reader(page(HOSTILE, []))
    assert reader.of("script") == []
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in reader.of("meta")
    assert any('<script>alert("1")</script>' in each for each in reader.texts)


def test_control_characters_and_marks_of_direction_are_shown():
    assert text("\x1b[31m\u202e<\u200f") == "\\x1b[31m\\u202e&lt;\\u200f"
