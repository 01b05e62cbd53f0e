import numpy as np
import pytest
from predictions import multi_label, regression, single_label

from ftaug.engine.loading.split import DataSplit
from ftaug.errors import BadData, Unavailable
from ftaug.runs import parquet_records, sample_records

pyarrow = pytest.importorskip("pyarrow")


class Named:
    def __len__(self):
        return 200

    def name(self, index):
        return f"/data/{index}.png" if index else "/data/\udcff.png"  # not UTF-8


COLUMNS = {"camera": [f"c{i % 3}" for i in range(200)], "brightness": [i / 7 for i in range(200)]}


@pytest.mark.parametrize(
    "records", [single_label(), multi_label(), regression(), single_label(groups=np.arange(200) // 4)]
)
def test_parquet_holds_what_the_csv_does(tmp_path, records):
    split = DataSplit("val", Named(), np.arange(200), records.targets, records.task)
    paths = {"csv": tmp_path / "val.samples.csv", "parquet": tmp_path / "val.samples.parquet"}
    paths["csv"].write_bytes(sample_records.to_csv(split, records, COLUMNS))
    paths["parquet"].write_bytes(sample_records.to_parquet(split, records, COLUMNS))
    from_csv, from_parquet = (sample_records.read(path, records.task, "ftaug evaluate RUN") for path in paths.values())
    assert from_parquet.ids.tolist() == from_csv.ids.tolist()
    for name in ("predictions", "targets", "groups"):
        np.testing.assert_array_equal(getattr(from_parquet.records, name), getattr(from_csv.records, name))
    table = pyarrow.parquet.read_table(paths["parquet"])
    assert str(table.schema.field("column_brightness").type) == "double"
    assert str(table.schema.field("column_camera").type) == "string"
    assert table.column("column_brightness").to_pylist() == pytest.approx(COLUMNS["brightness"], rel=1e-5)


def test_what_is_not_parquet_names_the_command_that_writes_it(tmp_path):
    path = tmp_path / "val.samples.parquet"
    path.write_bytes(b"PAR1 broken")
    with pytest.raises(BadData, match=r"is damaged .* write it anew: ftaug evaluate RUN"):
        sample_records.read(path, single_label().task, "ftaug evaluate RUN")


def test_the_records_that_are_there_are_taken(tmp_path):
    (tmp_path / "report").mkdir()
    assert sample_records.existing_path(tmp_path, "val") is None
    path = sample_records.path_of(tmp_path, "val", "parquet")
    path.touch()
    assert sample_records.existing_path(tmp_path, "val") == path


def test_without_pyarrow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(Unavailable, match=r"needs pyarrow: pip install 'ftaug\[parquet\]'"):
        parquet_records.library("--records parquet")
