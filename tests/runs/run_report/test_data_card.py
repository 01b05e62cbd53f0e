import pytest
from predictions import multi_label, names, single_label
from reported_runs import reported

from ftaug.interfaces.document import BarChart, DataTable, Paragraph
from ftaug.runs.run_report.data_card import data_card


def write_samples(folder, rows):
    folder.mkdir(exist_ok=True)
    lines = [f"{split},key {i},,{target}" for i, (split, target) in enumerate(rows)]
    (folder / "samples.csv").write_text("\n".join(["split,key,sample,target", *lines]) + "\n")


ROWS = [("train", "class 0"), ("train", "class 1"), ("train", "class 1"), ("train (cannot be read)", "class 1")]
ROWS += [("val", "class 0"), ("", "class 0"), ("test", "class 2")]


def test_samples_are_counted_as_they_are_recorded(tmp_path):
    write_samples(tmp_path, ROWS)
    sources = {"train": {"image_folder": {"path": "photos", "links": False}}, "val": {"split": 0.2}, "test": "digits"}
    run = reported(single_label(classes=3), tmp_path, facts={"sources": sources}, left_out=1)
    section = data_card(run)
    table, balance, note = section.blocks
    assert [row[:3] for row in table.rows] == [
        ("training", "3", "image_folder (path photos)"),
        ("validation", "1", "split 0.2"),
        ("test", "1", "digits"),
    ]
    assert isinstance(balance, BarChart)
    assert [row[::2] for row in balance.rows] == [("class 1", "2"), ("class 0", "1"), ("class 2", "0")]
    assert isinstance(note, Paragraph) and note.text == "1 sample cannot be read and is left out."
    assert section.facts["classes"]["train"] == {"class 0": 1, "class 1": 2}


def test_several_labels_of_a_sample_count_each(tmp_path):
    write_samples(tmp_path, [("train", "class 0|class 2"), ("train", ""), ("train", "class 2")])
    section = data_card(reported(multi_label(labels=3), tmp_path))
    assert section.facts["classes"]["train"] == {"class 0": 1, "class 2": 2} and section.facts["samples"]["train"] == 3


def test_many_classes_are_a_table_and_folds_are_training_samples(tmp_path):
    count = 41
    write_samples(tmp_path, [("train", name) for name in names(count)])
    (balance,) = data_card(reported(single_label(n=90, classes=count), tmp_path)).blocks[1:]
    assert isinstance(balance, DataTable) and len(balance.rows) == count
    write_samples(tmp_path / "fold-1", ROWS)
    run = reported(single_label(classes=3), tmp_path, is_folds=True)
    assert data_card(run).facts["samples"] == pytest.approx({"train": 4, "test": 1})
