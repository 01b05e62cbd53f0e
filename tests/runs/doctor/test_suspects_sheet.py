"""The contact sheet shows suspects by label, and duplicates across splits first."""

import io
import shutil
from dataclasses import replace

import numpy as np
from doctor_data import write_pictures
from PIL import Image

from ftaug.interfaces.data_health import SheetRow
from ftaug.runs.doctor import label_suspects, suspects_sheet
from ftaug.runs.doctor.examine import examine
from ftaug.runs.doctor.open_data import open_data
from ftaug.runs.doctor.scan import data_health


def test_rows_and_the_drawn_file(tmp_path, monkeypatch):
    config = write_pictures(tmp_path)
    shutil.copy(tmp_path / "train" / "cat" / "0.png", tmp_path / "train" / "cat" / "again.png")
    shutil.copy(tmp_path / "train" / "dog" / "1.png", tmp_path / "test" / "cat" / "leaked.png")
    diagnosis = examine(open_data(config, (), trust_plugins=False), labels=False)
    scan = diagnosis.scan
    correct = np.eye(2, dtype=np.float32)[scan.targets(np.arange(len(scan)))]
    correct[3] = correct[3, ::-1]
    rows = {purpose: scan.rows(purpose) for purpose in scan.splits}
    suspects = label_suspects.find(scan, {purpose: correct[places] for purpose, places in rows.items()})
    drawn: list[SheetRow] = []
    sheet = data_health("image").sheet
    monkeypatch.setattr(
        data_health("image"), "sheet", lambda rows, *texts: [drawn.extend(rows), sheet(rows, *texts)][1]
    )
    path = suspects_sheet.write(replace(diagnosis, suspects=suspects), tmp_path / "out")
    assert [(row.label, row.note, [caption for _, caption in row.cells]) for row in drawn] == [
        ("labeled cat", "1 suspect", ["rather dog: 3.png"]),
        ("duplicates", "2 in train, test", ["train, dog: 1.png", "test, cat: leaked.png"]),
        ("duplicates", "2 in train", ["train, cat: 0.png", "train, cat: again.png"]),
    ]
    picture = Image.open(io.BytesIO(path.read_bytes())).convert("RGB")
    assert picture.width > 400
    assert len(picture.getcolors(maxcolors=1 << 20)) > 1000  # pictures, not paper alone


def test_nothing_to_show_draws_nothing(tmp_path):
    diagnosis = examine(open_data(write_pictures(tmp_path), (), trust_plugins=False), labels=False)
    assert suspects_sheet.write(diagnosis, tmp_path / "out") is None
