"""Classes that are missing, small or unbalanced."""

from doctor_data import scanned, write_pictures
from table_files import write_rows

from ftaug.runs.doctor import class_checks


def texts(config):
    return [(each.level, each.text) for each in class_checks.findings(scanned(config))]


def test_balanced_classes_have_no_finding(tmp_path):
    assert texts(write_pictures(tmp_path)) == []


def test_small_and_unbalanced_classes(tmp_path):
    config = write_pictures(tmp_path, train=20)
    for place in range(2, 20):
        (tmp_path / "train" / "dog" / f"{place}.png").unlink()
    assert texts(config) == [
        ("caution", "train: fewer than 5 samples of class 'dog'"),
        ("caution", "train: 'cat' has 10 times the samples of 'dog' (2)"),
    ]


def test_a_class_without_a_readable_training_sample_is_a_problem(tmp_path):
    config = write_pictures(tmp_path, train=6)
    for path in (tmp_path / "train" / "dog").iterdir():
        path.write_bytes(b"no picture")
    assert texts(config) == [("problem", "train: no readable sample of class 'dog'")]


def test_a_split_without_a_class(tmp_path):
    config = write_pictures(tmp_path)
    for path in (tmp_path / "test" / "dog").iterdir():
        path.unlink()
    assert texts(config) == [("caution", "test: no sample of class 'dog'")]


def test_a_listed_class_without_rows(tmp_path):
    write_pictures(tmp_path)
    rows = [{"path": f"train/cat/{n}.png", "label": "ab"[n % 2]} for n in range(6)]
    table = write_rows(tmp_path / "labels.csv", rows)
    config = tmp_path / "table.yaml"
    config.write_text(
        f"data: {{train: {{image_table: {{path: {table}, classes: [a, b, c]}}}}, val: null, workers: 0}}\n"
        "backbone: {resnet20: {weights: none}}\n"
    )
    assert ("problem", "train: no readable sample of class 'c'") in texts(config)
