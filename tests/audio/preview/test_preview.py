"""`ftaug preview` on sounds: a sheet, a page to listen to, severities and figures."""

import base64
import io
import re

import numpy as np
import pytest
import soundfile
from PIL import Image

from ftaug.cli import run

EXPERIMENT = """
modality: audio
data: {train: instruments}
backbone: {spectrogram: {network: resnet20, seconds: 0.5, mels: 16}}
augment: [{gain: {decibels: [6, 6]}}, {time_mask: {probability: 1.0}}]
mix: mixup
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(EXPERIMENT)
    return tmp_path


def test_draws_a_sheet_and_says_what_each_op_does(place, capsys):
    assert run(["preview", "a.yaml", "-n", "2"]) == 0, capsys.readouterr().err
    printed = capsys.readouterr()
    assert printed.out.strip() == "sheet.png"
    assert re.search(r"gain +100% +\S+ σ +6\.0 dB +0% +0%", printed.err)
    assert re.search(r"time_mask +100% +\S+ σ +0\.0 dB +0% +0%", printed.err)
    assert Image.open(place / "sheet.png").width > 600


def test_a_page_plays_each_version(place, capsys):
    assert run(["preview", "a.yaml", "-n", "1", "-o", "page.html"]) == 0, capsys.readouterr().err
    page = (place / "page.html").read_text()
    sounds = [base64.b64decode(each) for each in re.findall(r'src="data:audio/wav;base64,([^"]+)"', page)]
    assert len(sounds) == page.count("<figure>") == 8
    original, louder = (soundfile.read(io.BytesIO(each))[0] for each in sounds[:2])
    assert np.square(louder).mean() / np.square(original).mean() == pytest.approx(10**0.6, rel=0.3)
    assert "http" not in page.replace("http-equiv", "")


def test_severities_and_one_op(place, capsys):
    assert run(["preview", "a.yaml", "--severity-grid", "-o", "s.png"]) == 0, capsys.readouterr().err
    assert run(["preview", "a.yaml", "--op", "room", "-o", "r.png", "--json"]) == 0
    assert Image.open(place / "r.png").width > 600


def test_says_which_files_it_writes(capsys):
    assert run(["preview", "a.yaml", "-o", "a.wav"]) == 2
    assert "a.wav: must end in .html, to listen, or in a picture's suffix, such as .png" in capsys.readouterr().err
