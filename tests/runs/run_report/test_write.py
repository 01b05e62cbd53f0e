import json
from pathlib import Path

import pytest
from documents import report

from ftaug.errors import ExperimentError, StorageError
from ftaug.runs.run_report.write import check_suffix, check_writable, write


def test_the_suffix_names_the_format(tmp_path):
    check_writable(tmp_path / "new" / "a.HTML")
    assert write(report("a"), tmp_path / "new" / "a.HTML").read_text().startswith("<!doctype html>")
    assert json.loads(write(report("a"), tmp_path / "a.json").read_text())["verdict"] == "a"
    markdown = write(report("a"), tmp_path / "a.md").read_text()
    files = sorted((tmp_path / "a_files").iterdir())
    assert len(files) == 6 and all(f"a_files/{file.name}" in markdown for file in files)
    assert not list(tmp_path.glob("**/.tmp-*"))


def test_other_suffixes_are_refused(tmp_path):
    for name in ("a.pdf", "a"):
        with pytest.raises(ExperimentError, match=r"must end in \.html, \.md or \.json"):
            check_suffix(tmp_path / name)
    check_suffix(tmp_path / "a.MD")


def test_names_that_are_not_utf_8_can_be_written(tmp_path):
    assert "\\udcff" in write(report("a\udcff"), tmp_path / "a.html").read_text()


def test_a_folder_of_that_name_is_an_error(tmp_path):
    (tmp_path / "a.html").mkdir()
    with pytest.raises(StorageError, match="cannot be written"):
        write(report("a"), tmp_path / "a.html")
    with pytest.raises(StorageError, match="cannot be written: Is a directory"):
        check_writable(tmp_path / "a.html")


def test_a_place_that_cannot_be_written_is_an_error_before_anything_is_computed():
    with pytest.raises(StorageError, match=r"/proc/a.html: cannot be written"):
        check_writable(Path("/proc/a.html"))
