"""Groups of the data and duplicates are joined."""

import shutil

from doctor_data import scanned, write_pictures
from table_files import write_rows

from ftaug.runs.doctor import duplicates
from ftaug.runs.doctor.sample_groups import joined_groups


def test_duplicates_join_the_groups_of_the_data(tmp_path):
    write_pictures(tmp_path)
    shutil.copy(tmp_path / "train" / "cat" / "1.png", tmp_path / "train" / "cat" / "copy.png")
    names = ["cat/0", "cat/1", "cat/copy", "cat/2", "dog/0", "dog/1"]
    rows = [
        {"path": f"train/{name}.png", "label": name[:3], "patient": patient}
        for name, patient in zip(names, "aabbcd", strict=True)
    ]
    table = write_rows(tmp_path / "labels.csv", rows)
    config = tmp_path / "table.yaml"
    config.write_text(
        f"data:\n  train: {{image_table: {{path: {table}, group: patient}}}}\n  val: null\n  workers: 0\n"
        f"  test: {{image_folder: {{path: {tmp_path}/test}}}}\n"
        "backbone: {resnet20: {weights: none}}\n"
    )
    scan = scanned(config)
    groups = joined_groups(scan, duplicates.find(scan, "image", 0))
    assert groups[:6].tolist() == [0, 0, 0, 0, 1, 2]
    assert groups[6:].tolist() == [3, 4, 5, 6, 7, 8]
