"""Facts that give the class away, and series of names on both sides of a split."""

import numpy as np
from doctor_data import photo, scanned, write_pictures

from ftaug.runs.doctor import shortcuts


def texts(config, *overrides):
    return [finding.text for finding in shortcuts.findings(scanned(config, *overrides))]


def test_nothing_is_a_shortcut_in_even_data(tmp_path):
    assert texts(write_pictures(tmp_path, train=40)) == []


def test_ending_size_and_name(tmp_path):
    config = write_pictures(tmp_path, train=30, test=1)
    for path in (tmp_path / "train" / "dog").iterdir():
        path.rename(path.with_name(f"scan-{path.stem}.PNG"))
    for number in range(30):
        photo(number, (60, 200)).save(tmp_path / "train" / "cat" / f"{number}.png")
    assert texts(config) == [
        "train: the pattern of file names gives the class away",
        "train: aspect gives the class away",
        "train: number of pixels gives the class away",
        "train: bytes per pixel gives the class away",
    ]
    for path in (tmp_path / "train" / "cat").iterdir():
        photo(int(path.stem)).save(path.with_suffix(".jpg"), quality=92)
        path.unlink()
    assert "train: the ending of file names gives the class away" in texts(config)


def test_a_name_that_holds_the_class_is_no_shortcut(tmp_path):
    config = write_pictures(tmp_path, train=30)
    for path in sorted((tmp_path / "train").rglob("*.png")):
        path.rename(path.with_name(f"{path.parent.name}_{path.stem}.png"))
    assert texts(config) == []


def test_series_of_names_in_both_splits(tmp_path):
    config = write_pictures(tmp_path, train=40, test=10)
    for split in ("train", "test"):
        for path in sorted((tmp_path / split).rglob("*.png")):
            number = int(path.stem)
            shift = 100 * (split == "test" and number >= 2)
            path.rename(path.with_name(f"patient{shift + number // 2}-{number}.png"))
    findings = [*shortcuts.findings(scanned(config))]
    assert [(each.check, each.count, each.text) for each in findings] == [
        ("series", 4, "test: names of series that are in train too")
    ]
    assert findings[0].examples[0].endswith("patient0-0.png: patient0-…")


def test_accuracy_is_counted_on_other_folds():
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 400)
    accuracy, frequent = shortcuts.accuracies(np.arange(400), targets)  # each value once: nothing to learn from
    assert abs(accuracy - frequent) < 0.1
    assert shortcuts.accuracies(targets, targets)[0] == 1


def test_accuracy_is_that_of_a_table_of_counts():
    rng = np.random.default_rng(1)
    values, targets = rng.integers(0, 12, 300), rng.integers(0, 4, 300)
    folds = np.random.default_rng(0).permutation(300) % shortcuts.FOLDS
    right = 0
    for fold in range(shortcuts.FOLDS):
        for value, target in zip(values[folds == fold], targets[folds == fold], strict=True):
            seen = targets[(folds != fold) & (values == value)]
            right += np.bincount(seen, minlength=4).argmax() == target
    assert shortcuts.accuracies(values, targets) == (right / 300, np.bincount(targets).max() / 300)
