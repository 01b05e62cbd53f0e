"""The report of `ftaug doctor` on screen and as JSON."""

import json
import shutil

from doctor_data import write_pictures

from ftaug.runs.doctor.examine import examine
from ftaug.runs.doctor.open_data import open_data
from ftaug.runs.report import console, doctor


def test_tables_fit_80_columns_and_json_names_the_samples(tmp_path, capsys):
    config = write_pictures(tmp_path)
    shutil.copy(tmp_path / "train" / "cat" / "0.png", tmp_path / "test" / "cat" / "copy.png")
    (tmp_path / "test" / "dog" / "1.png").write_bytes(b"")
    diagnosis = examine(open_data(config, (), trust_plugins=False), labels=False)
    capsys.readouterr()
    doctor.show(diagnosis)
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 80
    assert any(line.split() == ["train", "12", "6", "128", "96", *line.split()[5:]] for line in lines)
    assert f"  {tmp_path}/test/cat/copy.png = {tmp_path}/train/cat/0.png" in lines
    report = json.loads(console.to_json(doctor.as_json(diagnosis)))
    assert report["samples"] == {"train": 12, "test": 6 + 1}
    assert report["classes"]["test"] == {"cat": 4, "dog": 2}
    assert report["unreadable"] == [{"split": "test", "name": f"{tmp_path}/test/dog/1.png", "error": "an empty file"}]
    assert len(report["duplicates"]) == 1
    assert report["label_errors"] is None
