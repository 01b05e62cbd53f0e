"""The experiment file of the best trial: runnable, equal to the trial, with the user's comments."""

from pathlib import Path

import pytest
from planted_search import searched

from ftaug.experiment_file import load, open_experiment
from ftaug.runs.search.best_file import edited, write_best
from ftaug.runs.search.search_file import open_search

FILE = """\
# Flowers, first try
data: {train: {image_folder: {path: photos}}, val: {split: 20%}}   # a few
plugins: [ops.py]
backbone: {search: [resnet18, {resnet20: {weights: letters}}]}
augment:
  # in this order
  - rotate: {degrees: {search: {range: [0, 30]}}}   # how far
  - search: [horizontal_flip, null]
  - search:
      - null
      - brightness: {strength: 0.2}
  - contrast
lr:
  peak:
    search:
      log: [1e-4, 1e-1]
  schedule: cosine  # as usual
unfreeze: [head]
search: {trials: 3}
"""


@pytest.fixture
def flowers(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "ops.py").touch()
    path = tmp_path / "flowers.yaml"
    path.write_text(FILE)
    return open_search(open_experiment(path))


def test_values_stand_in_place_of_the_spaces_and_comments_stay(flowers):
    text = edited(FILE, flowers.spaces, VALUES, flowers.file.path)
    folder = flowers.file.path.parent
    assert (
        text
        == f"""\
# Flowers, first try
data: {{train: {{image_folder: {{path: {folder}/photos}}}}, val: {{split: 20%}}}}   # a few
plugins: [{folder}/ops.py]
backbone: {{resnet20: {{weights: letters}}}}
augment:
  # in this order
  - rotate: {{degrees: 7}}   # how far
  - {{brightness: {{strength: 0.2}}}}
  - contrast
lr:
  peak:
    0.005
  schedule: cosine  # as usual
unfreeze: [head]
search: {{trials: 3}}
""".replace(f"{folder}/photos", quoted(folder / "photos")).replace(f"{folder}/ops.py", quoted(folder / "ops.py"))
    )


VALUES = {
    "backbone": {"resnet20": {"weights": "letters"}},
    "augment.0.rotate.degrees": 7,
    "augment.1": None,
    "augment.2": {"brightness": {"strength": 0.2}},
    "lr.peak": 0.005,
}


def quoted(path: Path) -> str:
    return f'"{path}"'


@pytest.mark.parametrize("removed", [["augment.1", "augment.2"], ["augment.2"], []])
def test_the_file_is_the_experiment_of_the_trial(flowers, tmp_path, removed):
    values = {**VALUES, "augment.1": "horizontal_flip"} | dict.fromkeys(removed)
    (tmp_path / "search").mkdir()
    path = write_best(flowers, values, tmp_path / "search" / "best.yaml")
    expected = flowers.file.experiment(flowers.values_overrides(values))
    best = load(path)
    assert best.name == "best"
    assert (best.data, best.augment, best.backbone, best.lr, best.plugins) == (
        expected.data,
        expected.augment,
        expected.backbone,
        expected.lr,
        expected.plugins,
    )
    assert "# in this order" in path.read_text()


def test_overrides_of_the_command_line_are_in_the_file(tmp_path):
    search = searched(tmp_path, overrides=["data.batch_size=7"])
    path = write_best(search, {"lr.peak": 0.02, "train.ema": None}, tmp_path / "best.yaml")
    best = load(path)
    assert (best.data.batch_size, best.lr.peak, best.train.ema) == (7, 0.02, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [x, {search: [y, null]}]", "a: [x]"),
        ("a: [{search: [y, null]}, x]", "a: [x]"),
        ("a: [x, {search: [y, null]}, z]", "a: [x, z]"),
        ("a:\n- x\n- search: [y, null]  # maybe", "a:\n- x\n"),
        ("a:\n- search: [y, null]\n- search: [z, null]\nb: 1\n", "a:\n []\nb: 1\n"),
        ("a: [{search: [y, null]}]", "a: []"),
        ("a:\n- x\n- {search: [y, null]}\n- z\n", "a:\n- x\n- z\n"),
    ],
)
def test_items_are_removed_from_lists_of_either_style(text, expected):
    from ftaug.config.search_space import find_spaces
    from ftaug.config.yaml_document import parse

    spaces, _ = find_spaces(parse(text, "f.yaml"))
    assert edited(text, spaces, {space.key: None for space in spaces}, Path("/f.yaml")) == expected
