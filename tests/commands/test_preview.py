"""`ftaug preview` on a small folder of pictures."""

import numpy as np
import pytest
from PIL import Image

from ftaug.cli import run
from ftaug.image.sheet import CELL, GAP, HEADER, LABELS, MARGIN, TITLE

COLOURS = {"blue": (30, 40, 200), "green": (40, 180, 60), "red": (210, 50, 40)}
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
    for name, colour in COLOURS.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(5):
            Image.new("RGB", (24, 20), colour).save(tmp_path / "photos" / name / f"{number}.png")
    path = tmp_path / "colours.yaml"
    path.write_text(EXPERIMENT)
    return path


def preview(experiment, capsys, *overrides, output="sheet.png"):
    path = experiment.parent / output
    code = run(["preview", str(experiment), *overrides, "-o", str(path)])
    return code, path, capsys.readouterr()


def middle(sheet, row, place):
    """The colour in the middle of a cell."""
    x, y = MARGIN + LABELS + place * (CELL + GAP), MARGIN + TITLE + HEADER + row * (CELL + GAP)
    return tuple(int(value) for value in np.asarray(sheet)[y + CELL // 2, x + CELL // 2])


def test_rows_are_classes_and_columns_are_augmentations(experiment, capsys):
    code, path, said = preview(experiment, capsys)
    assert (code, said.out) == (0, f"{path}\n")
    sheet = Image.open(path)
    for row, colour in enumerate(COLOURS.values()):
        negative = tuple(255 - value for value in colour)
        shown = [middle(sheet, row, place) for place in range(7)]
        assert shown == [colour, colour, negative, negative, negative, negative, negative]


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
    assert middle(Image.open(path), 0, 1) == COLOURS["blue"]


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
    assert sorted(entry.name for entry in experiment.parent.iterdir()) == ["colours.yaml", "photos", "sheet.png"]


def test_what_may_change_a_class_is_said(experiment, capsys):
    for name, sign in zip(COLOURS, "FGJ", strict=True):
        (experiment.parent / "photos" / name).rename(experiment.parent / "photos" / sign)
    code, _, said = preview(experiment, capsys)
    assert code == 0
    assert "caution: augment.0.horizontal_flip mirrors 'F', 'G', 'J'" in said.err
