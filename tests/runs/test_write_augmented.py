"""Which samples `ftaug augment` copies, where it may write, and what it warns of."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from processes import in_ranks

from ftaug.errors import ExperimentError, RankLost
from ftaug.experiment_file import load
from ftaug.runs.write_augmented import cells_of, check_output, identity_of, prepare, training_split

EXPERIMENT = """
name: photos
data:
  train: {image_folder: {path: photos}}
  val: {split: 25%}
  workers: 0
backbone: {resnet20: {weights: none}}
augment: [horizontal_flip]
"""


@pytest.fixture
def config(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "left arrow"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(8):
            pixels = rng.integers(256, size=(20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    (tmp_path / "f.yaml").write_text(EXPERIMENT)
    return tmp_path / "f.yaml"


def test_training_samples_alone_are_copied(config, capsys):
    experiment = load(config)
    train = training_split(experiment, balance=True)
    assert train.purpose == "train" and train.counts().tolist() == [6, 6]
    assert "caution: augment.0.horizontal_flip may turn 'left arrow' into its opposite" in capsys.readouterr().err
    data = prepare(experiment, train)
    assert data.pipeline is not None and len(data.split) == 12


def test_cautions_of_what_copies_do_not_have(config, capsys):
    training_split(load(config, ["augment=[]", "mix=mixup"]), balance=False)
    lines = capsys.readouterr().err.splitlines()
    assert "caution: augment is empty: all copies of a sample are equal" in lines
    assert any(line.startswith("caution: mix: mixup is not applied: ") for line in lines)


@pytest.mark.parametrize("purpose", ["val", "test"])
def test_evaluation_samples_are_not_copied(config, purpose):
    with pytest.raises(ExperimentError, match=rf"data\.{purpose}: is the data of data\.train"):
        training_split(load(config, [f"data.{purpose}={{image_folder: {{path: photos}}}}"]), balance=False)


def test_several_labels_cannot_be_balanced(config):
    rows = "".join(f"photos/cat/{number}.png,{'round|red' if number % 2 else 'red'}\n" for number in range(8))
    (config.parent / "t.csv").write_text(f"path,label\n{rows}")
    table = 'data.train={image_table: {path: t.csv, labels_separator: "|"}}'
    experiment = load(config, [table, "loss=binary_cross_entropy", "evaluate.metrics=[f1]", "evaluate.best=f1"])
    assert len(training_split(experiment, balance=False)) == 6
    with pytest.raises(ExperimentError, match="--per-class balance: needs samples with one label each"):
        training_split(experiment, balance=True)


@pytest.mark.parametrize(
    ("output", "allowed"), [("photos", False), ("photos/more", False), ("a/../photos", False), ("b", True)]
)
def test_copies_are_not_written_among_the_data(config, output, allowed):
    (config.parent / "a").mkdir()
    path = config.parent / output
    if allowed:
        check_output(load(config), path)
    else:
        with pytest.raises(ExperimentError, match="lies inside the data"):
            check_output(load(config), path)


def test_a_link_into_the_data_is_inside_them(config):
    (config.parent / "link").symlink_to("photos")
    with pytest.raises(ExperimentError, match="lies inside the data"):
        check_output(load(config), config.parent / "link" / "more")


@pytest.mark.parametrize(
    ("columns", "as_table", "cells"),
    [((), True, ()), ((), False, ()), (("text",), True, ("text",)), (("text",), False, ())],
)
def test_the_columns_that_hold_a_sample(columns, as_table, cells):
    assert cells_of(dataset(columns), as_table=as_table) == cells


def test_samples_of_several_parts_need_a_table():
    assert cells_of(dataset(("text", "text_2")), as_table=True) == ("text", "text_2")
    with pytest.raises(ExperimentError, match=r"several parts \(text, text_2\); use --format table"):
        cells_of(dataset(("text", "text_2")), as_table=False)


def dataset(columns):
    """A dataset whose samples have these columns."""
    modality = SimpleNamespace(cells=lambda raw: dict.fromkeys(columns, raw))
    return SimpleNamespace(verbs=modality, read=lambda position, copy: ("raw", None))


def test_processes_with_other_settings_are_an_error(config, tmp_path):
    experiment = load(config)
    train = training_split(experiment, balance=False)
    ranks_folder = tmp_path / "ranks"
    ranks_folder.mkdir()
    first, second = in_ranks(
        ranks_folder, 2, lambda ranks: identity_of(experiment, train, {"copies": 2 + ranks.rank}, ranks)
    )
    assert isinstance(first, RankLost) or first["copies"] == 2
    assert isinstance(second, ExperimentError)
    assert str(second).startswith("copies 3 on ") and "(rank 1) differs from 2 on " in str(second)
