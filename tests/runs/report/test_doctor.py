"""The report of `ftaug doctor` on screen and as JSON."""

import json
import shutil

from doctor_data import write_pictures
from sounds import write_classes

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


def test_lengths_below_a_second_are_no_zeros(tmp_path, capsys):
    write_classes(tmp_path / "a", seconds=0.6, count=2)
    (tmp_path / "a.yaml").write_text("modality: audio\ndata: {train: {audio_folder: {path: a}}, val: null}\n")
    doctor.show(examine(open_data(tmp_path / "a.yaml", ["backbone=tiny_audio"], trust_plugins=False), labels=False))
    assert ["train", "6", "2", "0.6", "8,000", "1"] in map(str.split, capsys.readouterr().out.splitlines())
