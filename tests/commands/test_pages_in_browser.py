"""The pages that commands write, opened in a headless Chromium: silent, without requests, and as wide as the screen."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from browser import EXECUTABLE, new_page
from documents import report
from PIL import Image

from ftaug.cli import run
from ftaug.documents.html_report import page as html_of
from ftaug.runs.run_report.budget import BUDGET

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(EXECUTABLE is None, reason="no Chromium is installed (Debian: apt-get install chromium)"),
]

CONFIGS = Path(__file__).parents[2] / "configs"
LARGEST = 3_000_000
PHOTOS = """
data: {train: {image_folder: {path: photos}}, val: {split: 30%}, batch_size: 64, workers: 0}
backbone: {resnet20: {weights: letters}}
train: {epochs: 1}
"""


def completed(*arguments):
    assert run([*map(str, arguments)]) == 0


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page of every kind, by name."""
    folder = tmp_path_factory.mktemp("pages")
    rng = np.random.default_rng(0)
    for number in range(200):  # classes with names that are long, and that would break HTML
        label = folder / "photos" / f"<b>class {number} & 'the' rather \"long\" name of an animal, Ursus arctos"
        label.mkdir(parents=True)
        for position in range(4):
            pixels = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(label / f"{position} <i>.jpg")
    runs = folder / "runs"
    (folder / "photos.yaml").write_text(PHOTOS)
    configs = {"digits": CONFIGS / "quickstart.yaml", "text": CONFIGS / "quickstart_text.yaml"}
    for name, config in (configs | {"photos": folder / "photos.yaml"}).items():
        completed("train", config, "train.epochs=1", "--run-dir", runs / name, "--device", "cpu")
        with pytest.MonkeyPatch.context() as patch:
            if name != "digits":  # whose report measures the invariance to all augmentations
                patch.setitem(BUDGET, "cpu", 1e9)
            completed("report", runs / name, "-o", folder / f"{name}.html")
    completed("train", CONFIGS / "quickstart.yaml", "train.epochs=1", "lr.peak=1e-4", "--run-dir", runs / "other")
    completed("report", runs / "digits", runs / "other", "-o", folder / "both.html")
    picture = next(folder.glob("photos/*/0*.jpg"))
    completed("explain", runs / "digits", picture, "--method", "grad_cam", "-o", folder / "explained.html")
    completed(
        "explain", runs / "text", "Open <b>the</b> file", "--method", "leave_one_out", "-o", folder / "words.html"
    )
    completed("preview", CONFIGS / "quickstart_text.yaml", "augment=[aeda]", "-o", folder / "preview.html")
    (folder / "hostile.html").write_text(html_of(report()))
    training = {f"training of {name}": runs / name / "report" / "report.html" for name in (*configs, "photos")}
    return {path.stem: path for path in folder.glob("*.html")} | training


@pytest.fixture(scope="module")
def page():
    with new_page() as opened:
        yield opened


def test_no_page_logs_anything_requests_anything_or_is_wider_than_the_screen(pages, page):
    assert len(pages) == 11
    for name, path in pages.items():
        assert path.stat().st_size < LARGEST, name
        phone, desktop = partial(page.open, width=390, height=844, mobile=True), partial(page.open, width=1280)
        for view in (phone, partial(phone, dark=True), desktop, partial(desktop, dark=True)):
            view(path)
            assert (page.logs, page.requests) == ([], []), name
            width, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            assert width <= screen, f"{name} is {width} px wide on a screen of {screen}"


def test_a_press_on_a_heading_sorts_the_table(pages, page):
    page.open(pages["digits"])
    column = "[...document.querySelectorAll('#classes tbody')[0].rows].map(row => parseFloat(row.cells[4].innerText))"
    press = "document.querySelectorAll('#classes thead')[0].rows[0].cells[4].querySelector('button').click()"
    recalls = page.evaluate(column)
    page.evaluate(press)
    assert page.evaluate(column) == sorted(recalls)
    page.evaluate(press)
    assert page.evaluate(column) == sorted(recalls, reverse=True)
    assert page.logs == []


def test_what_a_page_does_wrong_is_seen(tmp_path, page):
    """The checks above are worth what the browser reports."""
    bad = tmp_path / "bad.html"
    bad.write_text("<p style='width: 2000px'>a</p><img src=https://example.invalid/a.png><script>undefined()</script>")
    page.open(bad, width=390, height=844, mobile=True)
    assert page.requests == ["https://example.invalid/a.png"] and page.logs
    bad.write_text(html_of(report()).replace("</main>", "</main><script>alert(1)</script><img src='a.png'>"))
    page.open(bad)
    refused = [log["entry"]["text"] for log in page.logs if "entry" in log]
    assert len(refused) == 2 and all("Content Security Policy" in text for text in refused)
