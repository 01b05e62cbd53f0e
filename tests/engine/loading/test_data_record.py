"""The samples that a run recorded, found again in data that changed since."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ftaug.engine.loading.data_record import SAMPLES_FILE, RecordedData, Row, compare, fingerprints, to_csv
from ftaug.engine.loading.split import load_splits
from ftaug.errors import BadData
from ftaug.experiment_file import load
from ftaug.interfaces.data import Task

TASK = Task(("cat", "dog"))


@dataclass(frozen=True)
class Named:
    """Samples that are called by their keys."""

    keys: Sequence[str]
    targets: np.ndarray
    task: Task = TASK
    fingerprint: str = "x"
    groups: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.keys)

    def key(self, index: int) -> str:
        return self.keys[index]

    def name(self, index: int) -> str:
        return f"/data/{self.keys[index]}"


ROWS = [Row("train", "a", "", "cat"), Row("val", "b", "", "dog"), Row("train", "c", "", "dog")]


def test_added_removed_and_relabeled_samples_are_named() -> None:
    found = compare(ROWS, TASK, Named(["new", "b", "a"], np.array([2, 0, 0]), Task(("cat", "dog", "emu"))))
    assert found.ids == {"val": [1], "train": [2]}
    expected = "class emu added, 1 sample added (new), 1 sample removed (c), 1 sample relabeled (b: dog → cat)"
    assert str(found) == expected


def test_only_some_of_many_changes_are_named() -> None:
    found = compare([], TASK, Named(list("abcdef"), np.zeros(6, np.int64)))
    assert str(found) == "6 samples added (a, b, c and 3 more)"


def test_of_equal_keys_the_first_is_the_first() -> None:
    rows = [Row("train", "a", "", "cat"), Row("val", "a", "", "dog")]
    found = compare(rows, TASK, Named(["a", "a", "a"], np.array([0, 1, 1])))
    assert (found.ids, found.added, found.relabeled) == ({"train": [0], "val": [1]}, ["a"], [])


def test_a_change_without_another_sample_or_label_is_said_too() -> None:
    assert "the same samples and labels, but other files" in str(
        compare(ROWS, TASK, Named(list("abc"), np.array([0, 1, 1])))
    )


def test_several_labels_and_numbers_are_compared_as_they_are() -> None:
    several = Named(["a", "b"], np.array([[1, 1], [0, 0]], np.uint8), Task(("x", "y"), multi_label=True))
    found = compare([Row("train", "a", "", "x|y"), Row("train", "b", "", "y")], several.task, several)
    assert found.relabeled == ["b: y → none"]
    numbers = Named(["a", "b"], np.array([[0.1, 2], [3, 4]]), Task(("x", "y"), regression=True))
    found = compare([Row("train", "a", "", "0.1|2.0"), Row("train", "b", "", "3.0|4.1")], numbers.task, numbers)
    assert found.relabeled == ["b: 3.0|4.1 → 3.0|4.0"]


def table(folder: Path, rows: Sequence[str]) -> None:
    (folder / "t.csv").write_text("text,label\n" + "\n".join(rows) + "\n")


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A folder with a table, its experiment, and what a run would record of it."""
    table(tmp_path, [f"the {name} of {n},{name}" for n in range(8) for name in ("cat", "dog")])
    (tmp_path / "e.yaml").write_text(
        "modality: text\nbackbone: tiny_text\ndata: {train: {text_table: {path: t.csv}}, val: {split: 25%}}\n"
    )
    experiment = load(tmp_path / "e.yaml")
    (tmp_path / SAMPLES_FILE).write_text(to_csv(load_splits(experiment.data, experiment.seed)))
    return tmp_path


def texts_of(data: RecordedData, purpose: str) -> set[str]:
    split = data[purpose]
    return {str(split.samples.read(int(i))[0]) for i in split.ids}


def test_the_split_of_training_is_kept_whatever_comes_to_the_data(recorded: Path) -> None:
    experiment = load(recorded / "e.yaml")
    before = load_splits(experiment.data, experiment.seed)
    data = RecordedData(recorded, experiment.data, before["train"].task, fingerprints(before))
    assert {p: data[p].ids.tolist() for p in data} == {p: before[p].ids.tolist() for p in before}
    assert data.cautions == []
    held_out = texts_of(data, "val")

    rows = (recorded / "t.csv").read_text().splitlines()[1:]
    table(recorded, ["an emu,emu", "a bat,bat", *rows[3:]])
    data = RecordedData(recorded, experiment.data, before["train"].task, fingerprints(before))
    gone = {row.rpartition(",")[0] for row in rows[:3]}
    assert texts_of(data, "val") == held_out - gone
    assert not texts_of(data, "train") & held_out
    assert data["val"].task == before["train"].task
    (caution,) = data.cautions
    assert caution.startswith("data.train changed since training: class bat, emu added, 2 samples added (")
    assert "3 samples removed" in caution


@pytest.mark.parametrize("val", ["{split: 50%}", "{text_table: {path: t.csv}}"])
def test_samples_held_out_for_confirmation_are_recorded(recorded: Path, val: str) -> None:
    experiment = load(recorded / "e.yaml", [f"data.val={val}", "data.confirmation=50%"])
    before = load_splits(experiment.data, experiment.seed)
    (recorded / SAMPLES_FILE).write_text(to_csv(before))
    data = RecordedData(recorded, experiment.data, before["train"].task, fingerprints(before))
    assert {p: data[p].ids.tolist() for p in data} == {p: before[p].ids.tolist() for p in before}
    assert data["val"].confirmation == before["val"].confirmation != ()


def test_what_is_gone_altogether_cannot_be_measured(recorded: Path) -> None:
    experiment = load(recorded / "e.yaml")
    before = load_splits(experiment.data, experiment.seed)
    table(recorded, ["another cat,cat", "another dog,dog"])
    data = RecordedData(recorded, experiment.data, before["train"].task, fingerprints(before))
    with pytest.raises(BadData, match="none of the val samples of training is there any more"):
        data["val"]


CHANGES = {
    "a row is lost": lambda rows: rows[:3] + rows[4:],
    "a row is there twice": lambda rows: rows[:3] + rows[2:],
    "two rows are exchanged": lambda rows: [rows[1], rows[0], *rows[2:]],
    "the end is lost": lambda rows: rows[:-2],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_record_that_does_not_fit_unchanged_data_is_damaged(recorded: Path, change: str) -> None:
    """Its rows belong to samples by their positions: another sample would be measured without a word."""
    experiment = load(recorded / "e.yaml")
    before = load_splits(experiment.data, experiment.seed)
    header, *rows = (recorded / SAMPLES_FILE).read_text().splitlines(keepends=True)
    (recorded / SAMPLES_FILE).write_text("".join([header, *CHANGES[change](rows)]))
    data = RecordedData(recorded, experiment.data, before["train"].task, fingerprints(before))
    with pytest.raises(BadData, match=r"samples\.csv: is damaged at '.*', as data\.train has not changed; restore it"):
        data["val"]


@pytest.mark.parametrize("row", ["train", "train,a,b,c,d,e,f,g", 'train,"a', "\0", "held-out,a,b,c,d"])
def test_a_damaged_record_is_said(recorded: Path, row: str) -> None:
    experiment = load(recorded / "e.yaml")
    before = load_splits(experiment.data, experiment.seed)
    with (recorded / SAMPLES_FILE).open("a") as file:
        file.write(f"{row}\n")
    data = RecordedData(recorded, experiment.data, before["train"].task, fingerprints(before))
    with pytest.raises(BadData, match=r"samples\.csv: .*; the training samples of the run are unknown"):
        data["val"]


def test_names_that_are_not_unicode_are_recorded(tmp_path: Path) -> None:
    for name in (b"cat/\xff.png", b"cat/1.png", b"dog/1.png", b"dog/2.png"):
        file = Path(os.fsdecode(os.fsencode(tmp_path / "photos") + b"/" + name))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    (tmp_path / "e.yaml").write_text(
        "backbone: resnet20\ndata: {train: {image_folder: {path: photos}}, val: {split: 2}}\n"
    )
    experiment = load(tmp_path / "e.yaml")
    before = load_splits(experiment.data, 0)
    (tmp_path / SAMPLES_FILE).write_bytes(to_csv(before).encode(errors="surrogateescape"))
    (tmp_path / "photos" / "cat" / "2.png").write_bytes(b"x")
    data = RecordedData(tmp_path, experiment.data, before["train"].task, fingerprints(before))
    assert {p: [*data[p].names()] for p in data} == {p: [*before[p].names()] for p in before}
