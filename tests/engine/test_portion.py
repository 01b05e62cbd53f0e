"""Samples of each purpose: which rows of a table with a split column nothing reads."""

import pytest

from ftaug.engine.portion import portions, unused_rows
from ftaug.load import load

TABLE = "{text_table: {path: t.csv, split_column: use}}"


@pytest.mark.parametrize(
    ("val", "test", "said"),
    [
        ("{split: 2}", "null", "9 of 17 rows are not used: column 'use' holds 'holdout' (3), 'test' (2), 'val' (4), "
         "and only data.train reads the table"),
        (TABLE, "null", "5 of 17 rows are not used: column 'use' holds 'holdout' (3), 'test' (2), and only data.train, "
         "data.val read the table"),
        (TABLE, TABLE, "3 of 17 rows are not used: column 'use' holds 'holdout' (3), and only data.train, data.test, "
         "data.val read the table"),
    ],
)  # fmt: skip
def test_rows_of_splits_that_nothing_reads_are_counted(tmp_path, val, test, said):
    uses = ["train"] * 8 + ["dev"] * 3 + [" Validation "] + ["holdout"] * 3 + ["test"] * 2
    rows = [f"text {i},{'ab'[i % 2]},{use}" for i, use in enumerate(uses)]
    (tmp_path / "t.csv").write_text("\n".join(["text,label,use", *rows]))
    data = f"data: {{train: {TABLE}, val: {val}, test: {test}}}"
    (tmp_path / "x.yaml").write_text(f"modality: text\nbackbone: tiny_text\n{data}\n")
    assert unused_rows(portions(load(tmp_path / "x.yaml").data, 0)) == [f"{tmp_path / 't.csv'}: {said}"]


def test_nothing_is_said_where_all_rows_are_read(tmp_path):
    rows = [f"text {i},{'ab'[i % 2]},{'train' if i < 6 else 'val'}" for i in range(10)]
    (tmp_path / "t.csv").write_text("\n".join(["text,label,use", *rows]))
    for data in (f"{{train: {TABLE}, val: {TABLE}}}", "{train: {text_table: {path: t.csv}}}"):
        (tmp_path / "x.yaml").write_text(f"modality: text\nbackbone: tiny_text\ndata: {data}\n")
        assert unused_rows(portions(load(tmp_path / "x.yaml").data, 0)) == []
