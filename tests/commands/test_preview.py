"""`ftaug preview` on a small folder of pictures."""

import json

import numpy as np
import pytest
from PIL import Image

from ftaug.cli import run
from ftaug.documents.contact_sheet import CELL, GAP, HEADER, LABELS, MARGIN, PITCH, TITLE

COLORS = {"blue": (30, 40, 200), "green": (40, 180, 60), "red": (210, 50, 40)}
EXPERIMENT = """
data:
  train: {image_folder: {path: photos}}
  val: {split: 20%}
backbone: {resnet20: {weights: none}}
augment:
  - horizontal_flip
  - invert: {probability: 1.0}
"""


@pytest.fixture
def experiment(tmp_path):
    for name, color in COLORS.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(5):
            Image.new("RGB", (24, 20), color).save(tmp_path / "photos" / name / f"{number}.png")
    path = tmp_path / "colors.yaml"
    path.write_text(EXPERIMENT)
    return path


def preview(experiment, capsys, *overrides, output="sheet.png"):
    path = experiment.parent / output
    code = run(["preview", str(experiment), *overrides, "-o", str(path), "-n", "3"])
    return code, path, capsys.readouterr()


def middle(sheet, row, place):
    """The color in the middle of a cell."""
    x, y = MARGIN + LABELS + place * (CELL + GAP), MARGIN + TITLE + HEADER + row * PITCH
    return tuple(int(value) for value in np.asarray(sheet)[y + CELL // 2, x + CELL // 2])


def test_rows_are_classes_and_columns_are_augmentations(experiment, capsys):
    code, path, said = preview(experiment, capsys)
    assert (code, said.out) == (0, f"{path}\n")
    sheet = Image.open(path)
    for row, color in enumerate(COLORS.values()):
        negative = tuple(255 - value for value in color)
        shown = [middle(sheet, row, place) for place in range(7)]
        assert shown == [color, color, negative, negative, negative, negative, negative]


def test_the_same_sheet_every_time(experiment, capsys):
    _, first, _ = preview(experiment, capsys, output="first.png")
    _, second, _ = preview(experiment, capsys, output="second.png")
    assert first.read_bytes() == second.read_bytes()
    _, other, _ = preview(experiment, capsys, "augment+=rotate", output="other.png")
    assert other.read_bytes() != first.read_bytes()


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixing_is_a_column_of_its_own(experiment, capsys, name):
    _, without, _ = preview(experiment, capsys, output="without.png")
    code, path, _ = preview(experiment, capsys, f"mix={name}")
    assert code == 0
    assert Image.open(path).width > Image.open(without).width


def test_without_augmentation(experiment, capsys):
    code, path, _ = preview(experiment, capsys, "augment=[]")
    assert code == 0
    assert middle(Image.open(path), 0, 1) == COLORS["blue"]


def test_a_suffix_that_is_no_picture_is_refused(experiment, capsys):
    code, path, said = preview(experiment, capsys, output="sheet.txt")
    assert code == 2
    assert "suffix" in said.err
    assert not path.exists()


def test_a_sheet_that_cannot_be_written_leaves_nothing(experiment, capsys):
    (experiment.parent / "taken").write_text("")
    code, _, said = preview(experiment, capsys, output="taken/sheet.png")
    assert code == 74
    assert "cannot be written" in said.err


def test_an_old_sheet_is_replaced_and_nothing_else_is_left(experiment, capsys):
    (experiment.parent / "sheet.png").write_text("old")
    _, path, _ = preview(experiment, capsys)
    assert Image.open(path).format == "PNG"
    assert sorted(entry.name for entry in experiment.parent.iterdir()) == ["colors.yaml", "photos", "sheet.png"]


def test_what_may_change_a_class_is_said(experiment, capsys):
    for name, sign in zip(COLORS, "FGJ", strict=True):
        (experiment.parent / "photos" / name).rename(experiment.parent / "photos" / sign)
    code, _, said = preview(experiment, capsys)
    assert code == 0
    assert "caution: augment.0.horizontal_flip mirrors 'F', 'G', 'J'" in said.err


def test_what_each_op_does_is_told(experiment, capsys):
    code, path, said = preview(experiment, capsys)
    assert said.out == f"{path}\n"
    rows = [line.split() for line in said.err.splitlines() if "%" in line and "caution" not in line]
    assert [row[0] for row in rows] == ["horizontal_flip", "invert"]
    assert rows[1][1] == "100%"
    code = run(["preview", str(experiment), "-o", str(path), "-n", "3", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (code, told["sheet"]) == (0, str(path))
    flip, invert = told["effects"]
    assert 0.2 < flip["fired"] < 0.8
    assert flip["unchanged"] == 1, "pictures of one color are their own mirror image"
    assert invert["change"] == pytest.approx(np.mean([abs(255 - 2 * v) for c in COLORS.values() for v in c]), abs=0.5)


@pytest.mark.parametrize(
    ("op", "words"),
    [
        ("horizontal_flip: {probability: 0.0}", "horizontal_flip did nothing in 24 tries: raise its probability"),
        ("rotate: {degrees: 0.0}", "rotate changes none of these pictures: make it stronger"),
        ("brightness: {strength: 0.0}", "brightness changes none of these pictures"),
        ("posterize: {bits: 1, probability: 1.0}", "posterize leaves nothing to see in 100% of the pictures"),
    ],
)
def test_ops_without_an_effect_or_with_too_much_are_named(experiment, capsys, op, words):
    for number, path in enumerate(sorted((experiment.parent / "photos").rglob("*.png"))):
        dark = np.random.default_rng(number).integers(20, 60, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(dark).save(path)
    code, _, said = preview(experiment, capsys, f"augment=[{{{op}}}]")
    assert code == 0
    assert f"caution: {words}" in said.err


def test_one_op_alone_from_the_file_or_with_its_defaults(experiment, capsys):
    for name in ("invert", "rotate"):
        path = experiment.parent / "one.png"
        assert run(["preview", str(experiment), "-o", str(path), "--op", name, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert [effect["op"] for effect in told["effects"]] == [name]
    assert run(["preview", str(experiment), "--op", "rotat"]) == 2
    assert "no augmentation 'rotat'; did you mean 'rotate'?" in capsys.readouterr().err


def test_the_british_spelling_of_an_op_finds_the_one_of_the_file(experiment, capsys):
    configured = "augment+={color_jitter: {brightness: 0, contrast: 0, saturation: 0, hue: 0}}"
    path = experiment.parent / "one.png"
    assert run(["preview", str(experiment), configured, "-o", str(path), "--op", "colour_jitter", "--json"]) == 0
    (effect,) = json.loads(capsys.readouterr().out)["effects"]
    assert (effect["op"], effect["unchanged"]) == ("color_jitter", 1)


def test_pictures_of_one_class(experiment, capsys):
    path = experiment.parent / "green.png"
    assert run(["preview", str(experiment), "-o", str(path), "--class", "green", "-n", "3"]) == 0
    sheet = Image.open(path)
    assert [middle(sheet, row, 0) for row in range(3)] == [COLORS["green"]] * 3
    capsys.readouterr()
    assert run(["preview", str(experiment), "--class", "gren"]) == 2
    assert "--class gren: data.train has no class 'gren'; did you mean 'green'?" in capsys.readouterr().err


@pytest.mark.parametrize("count", [1, 2, 7, 64])
def test_as_many_pictures_as_asked_for(experiment, capsys, count):
    path = experiment.parent / "many.png"
    assert run(["preview", str(experiment), "-o", str(path), "-n", str(count)]) == 0
    rows = (Image.open(path).height - 2 * MARGIN - TITLE - HEADER + GAP) // PITCH
    assert rows == min(count, 12)


def test_severity_grid(experiment, capsys):
    path = experiment.parent / "grid.png"
    overrides = ["augment=[rotate, brightness, center_crop]", "--severity-grid", "-o", str(path)]
    assert run(["preview", str(experiment), *overrides]) == 0
    sheet = Image.open(path)
    plain = middle(sheet, 1, 0)
    assert plain == COLORS["blue"]
    assert middle(sheet, 1, 4) != plain
    assert (sheet.height - 2 * MARGIN - TITLE - HEADER + GAP) // PITCH == 2
    capsys.readouterr()
    assert run(["preview", str(experiment), "augment=[center_crop]", "--severity-grid"]) == 2
    assert "--severity-grid: none of the augmentations has a severity" in capsys.readouterr().err
