"""The table of labels trains as it is: the same samples, labels and splits, or groups that hold duplicates together."""

import csv
import json
import shutil

import numpy as np
import pytest
from doctor_data import write_pictures
from table_files import write_rows

from ftaug.engine.loading.split import load_splits
from ftaug.errors import BadData
from ftaug.experiment_file import load
from ftaug.image.io.decode import decode
from ftaug.runs.doctor import labels_file
from ftaug.runs.doctor.examine import examine
from ftaug.runs.doctor.open_data import open_data


def written(config, folder, *, with_groups=False):
    diagnosis = examine(open_data(config, (), trust_plugins=False), labels=False)
    return diagnosis, labels_file.write(diagnosis, folder, with_groups=with_groups)


def trained_from(file, folder, *overrides):
    """The splits of an experiment with the written section `data`."""
    path = folder / "again.yaml"
    path.write_text(json.dumps({"data": file.data, "backbone": "resnet20"}))
    experiment = load(path, overrides)
    return load_splits(experiment.data, experiment.seed)


def described(split):
    return {(name, split.describe(position)) for position, name in enumerate(split.names())}


def test_the_same_splits_from_folders(tmp_path):
    config = write_pictures(tmp_path / "pictures")
    (tmp_path / "pictures" / "train" / "dog" / "1.png").write_bytes(b"")
    diagnosis, file = written(config, tmp_path / "out")
    splits = trained_from(file, tmp_path)
    assert [*splits] == ["train", "test"]
    for purpose, split in splits.items():
        assert described(split) == described(diagnosis.scan.readable(purpose))
    (tmp_path / "out" / "labels.csv").write_text(
        (tmp_path / "out" / "labels.csv").read_text().replace("train/cat/0.png,cat", "train/cat/0.png,dog")
    )
    assert (f"{tmp_path}/pictures/train/cat/0.png", "dog") in described(trained_from(file, tmp_path)["train"])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_groups_keep_duplicates_on_one_side(tmp_path, seed):
    config = write_pictures(tmp_path, train=10)
    for number in range(4):
        shutil.copy(tmp_path / "train" / "cat" / f"{number}.png", tmp_path / "test" / "cat" / f"copy-{number}.png")
    _, file = written(config, tmp_path / "out", with_groups=True)
    splits = trained_from(file, tmp_path, f"seed={seed}")
    assert [*splits] == ["train", "test"]
    side = {name: purpose for purpose, split in splits.items() for name in split.names()}
    assert len(side) == 30
    for number in range(4):
        assert side[f"{tmp_path}/train/cat/{number}.png"] == side[f"{tmp_path}/test/cat/copy-{number}.png"]


def test_pictures_in_memory_become_files(write, tmp_path):
    config = write("data: {train: {digits: {per_class: 3}}, val: null, workers: 0}\nbackbone: resnet20\n")
    diagnosis, file = written(config, tmp_path / "out")
    split = trained_from(file, tmp_path)["train"]
    assert split.counts().tolist() == [3] * 10
    original = diagnosis.scan.sample(0)
    row = next(csv.DictReader(file.path.open()))
    assert row["label"] == original.label

    content = (tmp_path / "out" / "pictures" / f"digits-{original.name[7:-1]}.png").read_bytes()
    assert np.array_equal(decode(content)[..., 0], original.read())


def test_texts_with_several_labels(tmp_path):
    rows = [{"text": f'line {n}, "quoted"\nand more', "label": ["a|b", "b", "", "a"][n % 4]} for n in range(12)]
    table = write_rows(tmp_path / "texts.csv", rows)
    config = tmp_path / "texts.yaml"
    settings = f'{{path: {table}, labels_separator: "|", classes: [b, a]}}'
    config.write_text(
        f"modality: text\ndata: {{train: {{text_table: {settings}}}, val: null, workers: 0}}\nbackbone: tiny_text\n"
    )
    diagnosis, file = written(config, tmp_path / "out")
    path = tmp_path / "again.yaml"
    path.write_text(json.dumps({"modality": "text", "data": file.data, "backbone": "tiny_text"}))
    experiment = load(path)
    split = load_splits(experiment.data, 0)["train"]
    assert split.task == diagnosis.scan.splits["train"].task
    before = diagnosis.scan.splits["train"]
    assert [(*split.samples.read(i), split.describe(i)) for i in range(12)] == [
        (*before.samples.read(i), before.describe(i)) for i in range(12)
    ]


def test_numbers(tmp_path):
    write_pictures(tmp_path)
    rows = [{"path": f"train/cat/{n}.png", "x": n / 7, "y": -n} for n in range(6)]
    config = tmp_path / "numbers.yaml"
    table = write_rows(tmp_path / "numbers.csv", rows)
    config.write_text(
        f"data: {{train: {{image_table: {{path: {table}, target: [x, y]}}}}, val: null, workers: 0}}\n"
        "backbone: resnet20\n"
    )
    diagnosis, file = written(config, tmp_path / "out")
    path = tmp_path / "again.yaml"
    path.write_text(json.dumps({"data": file.data, "backbone": "resnet20"}))
    targets = load_splits(load(path).data, 0)["train"].targets
    assert np.array_equal(targets, diagnosis.scan.splits["train"].targets)


def test_nothing_readable_is_an_error(tmp_path):
    config = write_pictures(tmp_path, train=1, test=1)
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(BadData, match="no sample can be read"):
        written(config, tmp_path / "out")
