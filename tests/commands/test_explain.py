"""`ftaug explain` on small runs; its methods have tests of their own."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from ftaug.cli import run
from ftaug.runs.explanation import checks, method_choice

TEXTS = """
modality: text
data: {train: {text_table: {path: train.csv}}, val: {text_table: {path: train.csv}}, batch_size: 16, workers: 0}
backbone: {tiny_text: {weights: none, max_length: 24}}
lr: {peak: 1e-3, schedule: constant}
train: {epochs: 1, precision: fp32}
"""


@pytest.fixture(autouse=True)
def _few_samples(monkeypatch):
    monkeypatch.setattr(method_choice, "SAMPLES", 2)
    monkeypatch.setattr(checks, "REDRAWN_SAMPLES", 2)
    monkeypatch.setattr(checks, "SURVIVES", 2.0)  # these networks are hardly trained


@pytest.fixture
def colors(desk, tmp_path):
    """A copy of the run of colors, and two of its pictures with a name that no page may take as a tag."""
    shutil.copytree(desk / "run", tmp_path / "run", symlinks=True)
    (tmp_path / "in").mkdir()
    shutil.copy(desk / "photos" / "test" / "red" / "00.png", tmp_path / "in" / "a<b>.png")
    shutil.copy(desk / "photos" / "test" / "green" / "00.png", tmp_path / "in" / "c.png")
    return tmp_path


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explained-texts")
    (folder / "texts.yaml").write_text(TEXTS)
    rows = ["text,label", *(f"{word} list of names {n},{word}" for n in range(4) for word in ("short", "long"))]
    (folder / "train.csv").write_text("\n".join(rows))
    assert run(["train", str(folder / "texts.yaml"), "--run-dir", str(folder / "run")]) == 0
    return folder


def weights_of(folder):
    return {str(path): path.read_bytes() for path in sorted((folder / "checkpoints").rglob("*.safetensors"))}


def test_a_sheet_of_the_best_method_and_the_tests_run_once(colors, capsys):
    before = weights_of(colors / "run")
    sheet = colors / "out" / "sheet.png"
    arguments = ["explain", str(colors / "run"), str(colors / "in"), "-o", str(sheet)]
    assert run(arguments) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == str(sheet)
    assert "method: auto → " in err and "testing explainers on 2 samples" in err
    assert "not considered: attention_rollout: needs a network with global attention" in err
    assert np.ptp(np.asarray(Image.open(sheet))) > 200
    assert run([*arguments, "--json"]) == 0
    out, err = capsys.readouterr()
    assert "testing" not in err
    result = json.loads(out)
    assert len(result["explanations"]) == 2
    assert result["explanations"][0]["name"].endswith("a<b>.png")
    assert result["explanations"][0]["box"] == [0, 0, 32, 32]
    assert weights_of(colors / "run") == before


def test_a_class_a_method_and_a_page(colors, capsys):
    page = colors / "page.html"
    arguments = [str(colors / "run"), str(colors / "in"), "--method", "grad_cam", "--class", "green", "-o", str(page)]
    assert run(["explain", *arguments]) == 0
    assert "method:" not in capsys.readouterr().err
    content = page.read_text()
    assert "grad_cam: green (" in content and "a&lt;b&gt;.png" in content and "<b>" not in content


def test_the_nearest_training_samples(colors, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(colors / "cache"))
    arguments = ["explain", str(colors / "run"), str(colors / "in"), "--method", "grad_cam", "--neighbors", "2"]
    assert run([*arguments, "-o", str(colors / "sheet.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    heading = next(number for number, line in enumerate(lines) if "nearest training samples" in line)
    assert len([line for line in lines[heading:] if ".png " in line]) == 4
    assert run([*arguments, "-o", str(colors / "out.json"), "--json"]) == 0
    printed, written = json.loads(capsys.readouterr().out), json.loads((colors / "out.json").read_text())
    assert printed["explanations"] == written["explanations"]
    first, second = printed["explanations"][0]["neighbors"]
    assert first["similarity"] >= second["similarity"]
    assert set(first) == {"name", "label", "similarity", "near_duplicate"}


def test_one_bad_picture_among_others(colors, capsys):
    (colors / "in" / "bad.png").write_bytes(b"no picture")
    target = colors / "out.json"
    assert run(["explain", str(colors / "run"), str(colors / "in"), "--method", "grad_cam", "-o", str(target)]) == 65
    err = capsys.readouterr().err
    assert "1 of 3 could not be read" in err and "bad.png: " in err
    assert len(json.loads(target.read_text())["explanations"]) == 2


def test_a_refused_method_ends_with_5_and_says_the_figure(colors, capsys, monkeypatch):
    monkeypatch.setattr(checks, "SURVIVES", -1.0)
    assert run(["explain", str(colors / "run"), str(colors / "in"), "--method", "occlusion"]) == 5
    err = capsys.readouterr().err
    assert "occlusion: its maps survive re-drawn weights: their rank correlation is" in err
    assert not (colors / "explanation.png").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["--method", "leave_one_out"],
            2,
            "the explainer 'leave_one_out' is for modality text, but this experiment is",
        ),
        (["--method", "grad_camm"], 2, "did you mean 'grad_cam'?"),
        (["--method", "{grad_cam: {layer: layr3}}"], 2, "no stage or module 'layr3'; did you mean 'layer3'?"),
        (["--method", "attention_rollout"], 2, "--method attention_rollout: needs a network with global attention"),
        (["--class", "gren"], 2, "--class gren: the run has no class 'gren'; did you mean 'green'?"),
        (["-o", "sheet.pdf"], 2, "sheet.pdf: must end in .png, .html or .json"),
    ],
)
def test_mistakes_are_one_line(colors, arguments, code, message, capsys):
    assert run(["explain", str(colors / "run"), str(colors / "in"), *arguments]) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("testing explainers")]
    assert len(lines) == 1
    assert message in lines[0]


def test_what_is_missing(colors, capsys):
    assert run(["explain", str(colors / "run"), str(colors / "none.png")]) == 66
    assert "none.png" in capsys.readouterr().err
    shutil.rmtree(colors / "run" / "checkpoints")
    (colors / "run" / "best").unlink(missing_ok=True)
    assert run(["explain", str(colors / "run"), str(colors / "in")]) == 66
    assert "has no checkpoint yet" in capsys.readouterr().err


def test_texts_in_the_terminal_and_on_a_page(texts, tmp_path, capsys):
    assert run(["explain", str(texts / "run"), "Return a <list> of names", "--method", "leave_one_out"]) == 0
    shown = capsys.readouterr().out
    assert "leave_one_out" in shown and "list" in shown
    page = tmp_path / "page.html"
    arguments = ["--method", "{integrated_gradients: {steps: 4}}", "-o", str(page)]
    assert run(["explain", str(texts / "run"), "Return a <list> of names", *arguments]) == 0
    assert "completeness error" in capsys.readouterr().out
    assert "&lt;</mark>" in page.read_text()
    assert run(["explain", str(texts / "run"), "a list", "--method", "grad_cam"]) == 2
    assert "is for modality image or audio, but this experiment is text" in capsys.readouterr().err
