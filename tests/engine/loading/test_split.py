"""The samples of train, val and test, in the classes of training."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fixed_samples import Source

from ftaug.cli import run
from ftaug.config.experiment import Data, Split
from ftaug.engine.loading.split import load_splits, subset, whole
from ftaug.errors import BadData
from ftaug.experiment_file import load
from ftaug.interfaces.data import Task

TRAIN = "text,label\n" + "".join(f"{name} number {i},{name}\n" for i in range(6) for name in ("cat", "dog", "emu"))
ONE_CLASS = "text,label\na dog,dog\nanother dog,dog\n"
TWO_CLASSES = "text,label\nan emu,emu\na dog,dog\n"
EXPERIMENT = """
name: animals
modality: text
data:
  train: {text_table: {path: train.csv}}
  val: {text_table: {path: val.csv}}
  test: {text_table: {path: test.csv}}
  batch_size: 6
  workers: 0
backbone: {tiny_text: {weights: none, max_length: 6}}
train: {epochs: 1}
"""


@dataclass(frozen=True)
class Labelled:
    """Samples of which only the labels count."""

    targets: np.ndarray
    task: Task
    fingerprint: str = "x"
    groups: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.targets)

    def name(self, index: int) -> str:
        return f"sample {index}"


def labelled(count: int) -> Source:
    return Source(Labelled(np.arange(count) % 4, Task(tuple("abcd"))))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, content in {"train": TRAIN, "val": TWO_CLASSES, "test": ONE_CLASS}.items():
        Path(f"{name}.csv").write_text(content)
    Path("animals.yaml").write_text(EXPERIMENT)
    return tmp_path


def test_a_table_with_a_single_class_is_measured_in_the_classes_of_training(desk: Path) -> None:
    experiment = load("animals.yaml")
    found = load_splits(experiment.data, experiment.seed)
    assert {purpose: split.task.classes for purpose, split in found.items()} == dict.fromkeys(
        ("train", "val", "test"), ("cat", "dog", "emu")
    )
    assert found["test"].targets.tolist() == [1, 1]
    assert found["val"].targets.tolist() == [2, 1]


def test_training_on_a_single_class_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("train.csv").write_text(ONE_CLASS)
    assert run(["train", "animals.yaml"]) == 65
    assert "data.train: has only one class, 'dog'; classification needs at least two" in capsys.readouterr().err


@pytest.mark.parametrize("reader", ["text", "image"])
def test_a_class_may_be_empty_outside_training(tmp_path: Path, reader: str) -> None:
    for name, files in {"train": ("cat/1", "dog/1"), "test": ("dog/1",)}.items():
        (tmp_path / name / "cat").mkdir(parents=True)
        (tmp_path / name / "dog").mkdir()
        for file in files:
            (tmp_path / name / f"{file}.{'txt' if reader == 'text' else 'png'}").write_text("x")
    (tmp_path / "test" / "zebra").mkdir()
    modality = f"modality: {reader}\nbackbone: {'tiny_text' if reader == 'text' else 'resnet20'}\n"
    data = "data: {train: {R: {path: train}}, val: {R: {path: test}}}\n".replace("R", f"{reader}_folder")
    (tmp_path / "e.yaml").write_text(modality + data)
    experiment = load(tmp_path / "e.yaml")
    found = load_splits(experiment.data, 0)
    assert (found["val"].task.classes, found["val"].targets.tolist()) == (("cat", "dog"), [1])
    (tmp_path / "train" / "zebra").mkdir()
    with pytest.raises(BadData, match=r"classes without a (picture|text): 'zebra'"):
        load_splits(experiment.data, 0)


@pytest.mark.parametrize("several", [False, True])
def test_only_classes_that_a_sample_has_must_be_known(several: bool) -> None:
    task = Task(("a", "b", "c"), several)
    rows = np.array([2, 0, 1])
    targets = np.eye(3, dtype=np.uint8)[rows] if several else rows
    other = Labelled(targets, Task(("c", "new", "a"), several))
    with pytest.raises(BadData, match=r"data\.test: class 'new' is not among the classes of data\.train"):
        whole("test", other, task)
    found = subset("test", other, np.array([0, 1]), task).targets  # of the classes a and c
    assert (found.argmax(axis=1) if several else found).tolist() == [0, 2]


def test_what_is_wrong_with_several_datasets_is_named_at_once(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\ngood,pos, really\nbad,neg\n")
    (tmp_path / "v.jsonl").write_text('{"text": "a", "text": "b", "label": "pos"}\n')
    data = (
        "{train: {text_table: {path: t.csv}}, val: {text_table: {path: v.jsonl}}, test: {text_table: {path: no.csv}}}"
    )
    (tmp_path / "x.yaml").write_text(f"modality: text\nbackbone: tiny_text\ndata: {data}\n")
    with pytest.raises(BadData) as caught:
        load_splits(load(tmp_path / "x.yaml").data, 0)
    said = [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]
    assert said[0].startswith("t.csv:2: the row has 3 cells") and "no.csv" in said[1]
    assert said[2] == "v.jsonl:1: duplicate key 'text'"


def test_classes_of_the_same_name_are_refused_whoever_reads_them():
    samples = SimpleNamespace(task=Task(("cat", "dog", "cat\u00a0")), targets=np.arange(3))
    with pytest.raises(BadData, match=r"data\.train: the classes 'cat', 'cat\\xa0' differ only in spacing"):
        load_splits(Data(train=Source(samples), val=None), 0)


def test_the_split_seed_draws_the_same_validation_samples_for_every_seed() -> None:
    def val(seed: int, **settings) -> list[int]:
        data = Data(train=labelled(40), val=Split(0.25), **settings)
        return load_splits(data, seed)["val"].ids.tolist()

    assert val(1) != val(2)
    assert val(1, split_seed=2) == val(3, split_seed=2) == val(2)


@pytest.mark.parametrize("separate", [False, True])
def test_samples_for_confirmation_are_in_no_split_and_of_every_class(separate: bool) -> None:
    targets = np.arange(80) % 4
    data = Data(train=labelled(80), val=labelled(80) if separate else Split(0.5), confirmation=0.5)
    splits = load_splits(data, 3)
    val, whole_val = splits["val"], load_splits(replace(data, confirmation=None), 3)["val"]
    assert sorted([*val.ids.tolist(), *val.confirmation]) == whole_val.ids.tolist()
    assert len(val.confirmation) == len(whole_val) // 2
    assert np.bincount(targets[[*val.confirmation]]).tolist() == [len(whole_val) // 8] * 4
    assert val.targets.tolist() == targets[val.ids].tolist()


def test_validation_too_small_for_a_confirmation_is_named() -> None:
    data = Data(train=labelled(40), val=labelled(4), confirmation=0.5)
    with pytest.raises(BadData, match=r"data\.confirmation: cannot hold out 0.5 .* of 4 samples.*enlarge data\.val"):
        load_splits(data, 0)
