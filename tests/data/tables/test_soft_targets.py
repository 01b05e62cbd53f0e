"""Tables with a share of each class: what is read, and what is refused."""

import numpy as np
import pytest

from ftaug.errors import BadData, ExperimentError
from ftaug.experiment_file import load
from ftaug.image.datasets.table import image_table
from ftaug.interfaces.data import Task
from ftaug.text.datasets.table import text_table

HEADER = "text,label,probability_b,probability_ a "


def table(folder, *rows, header=HEADER):
    (folder / "t.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder / "t.csv"


def test_shares_are_read_by_class_and_the_largest_is_the_label(tmp_path):
    samples = text_table("train", path=table(tmp_path, "x,a,0.25,0.75", "y,a,1,0", "z,b,0.499,0.499"), soft=True)
    assert samples.task == Task(("b", "a"))
    np.testing.assert_allclose(samples.soft_targets, [[0.25, 0.75], [1, 0], [0.5, 0.5]])
    assert samples.soft_targets.dtype == np.float32
    assert samples.targets.tolist() == [1, 0, 0] and samples.targets.dtype == np.int64
    assert text_table("train", path=tmp_path / "t.csv").soft_targets is None


def test_the_fingerprint_follows_the_shares(tmp_path):
    prints = [
        text_table("train", path=table(tmp_path, f"x,a,{s},{1 - s}"), soft=True).fingerprint for s in (0.25, 0.26)
    ]
    assert prints[0] != prints[1]


def test_pictures_have_them_too(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    path = table(tmp_path, "a.png,0.5,0.5", header="path,probability_b,probability_a")
    assert image_table("train", path=path, soft=True).soft_targets.tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("x,a,0.5,0.6", r"t\.csv:2: the columns probability_… must sum to 1; got 1\.1"),
        ("x,a,-0.5,1.5", r"t\.csv:2: column 'probability_b' must contain numbers from 0 to 1; got -0\.5"),
        ("x,a,,1", "column 'probability_b' must contain a number; got nothing"),
    ],
)
def test_what_are_no_shares_is_refused(tmp_path, row, problem):
    with pytest.raises(BadData, match=problem):
        text_table("train", path=table(tmp_path, row), soft=True)


def test_a_table_without_them_is_refused(tmp_path):
    with pytest.raises(BadData, match=r"two or more columns probability_CLASS.*the table has 1"):
        text_table("train", path=table(tmp_path, "x,1", header="text,probability_a"), soft=True)


def experiment(tmp_path, dataset, *more):
    lines = ["modality: text", f"data: {{train: {{text_table: {dataset}}}}}", "backbone: tiny_text", *more]
    (tmp_path / "e.yaml").write_text("\n".join(lines))
    return load(tmp_path / "e.yaml")


def test_settings_that_do_not_go_together(tmp_path):
    with pytest.raises(ExperimentError, match="text_table: soft reads the columns probability_…, and label others"):
        experiment(tmp_path, "{path: t.csv, soft: true, label: kind}")


def test_a_flip_that_swaps_classes_has_no_soft_targets(tmp_path):
    (tmp_path / "e.yaml").write_text(
        "data: {train: {image_table: {path: t.csv, soft: true}}}\nbackbone: resnet20\n"
        "augment: [{horizontal_flip: {label_map: {left: right}}}]\n"
    )
    with pytest.raises(ExperimentError, match="soft cannot be combined with label_map"):
        load(tmp_path / "e.yaml")
