"""Samples with nearly equal features are reported unless they are known to be duplicates."""

import io
import json
import shutil

import numpy as np
import pytest
from doctor_data import photo, scanned, write_pictures
from PIL import Image, ImageOps

from ftaug.interfaces.data_health import SheetRow
from ftaug.runs.doctor import similar_features, suspects_sheet
from ftaug.runs.doctor.examine import examine
from ftaug.runs.doctor.open_data import open_data
from ftaug.runs.doctor.scan import data_health
from ftaug.runs.report import doctor as report


def write_planted(root):
    """Write pictures with a mirrored copy across splits and an exact copy, which needs no features."""
    config = write_pictures(root, train=8)
    ImageOps.mirror(photo(3)).save(root / "test" / "cat" / "mirrored.png")
    shutil.copy(root / "train" / "dog" / "1.png", root / "test" / "dog" / "exact.png")
    return config


def test_findings_by_kind(tmp_path):
    scan = scanned(write_pictures(tmp_path))
    rng = np.random.default_rng(0)
    features = rng.normal(size=(len(scan), 64)).astype(np.float32)
    rows = {purpose: scan.rows(purpose) for purpose in scan.splits}
    cat, dog, test = rows["train"][0], rows["train"][6], rows["test"][0]
    features[test] = features[cat] * 1.5 + 0.05
    features[dog] = features[rows["train"][1]] + 0.1 * features[5]
    known = np.arange(len(scan))
    similar = similar_features.find(scan, features, known)
    found = [(each.level, each.count, each.text) for each in similar_features.findings(scan, similar, "image")]
    assert found == [
        ("caution", 1, "test: look almost like images in train by features"),
        ("note", 1, "train: look almost like one another by features, with another label"),
    ]
    known[test] = known[cat]
    assert len(similar_features.find(scan, features, known).pairs) == 1


def test_many_samples_are_compared_across_splits_only(tmp_path, monkeypatch):
    scan = scanned(write_pictures(tmp_path))
    monkeypatch.setattr(similar_features, "MOST_WITHIN", 17)
    features = np.random.default_rng(0).normal(size=(len(scan), 64)).astype(np.float32)
    features[1] = features[0]
    similar = similar_features.find(scan, features, np.arange(len(scan)))
    assert len(similar.pairs) == 0
    (note,) = similar_features.findings(scan, similar, "image")
    assert (note.level, note.text) == (
        "note",
        "features are compared across splits only, as there are more than 17 samples",
    )


@pytest.fixture
def mean_colors(monkeypatch):
    """Replace the features of the backbone by sorted columns of the picture, which mirroring does not change."""

    def features(experiment, scan, device):
        def of(raw):
            gray = np.asarray(Image.open(io.BytesIO(raw)).convert("L").resize((16, 16)), np.float32)
            return np.sort(np.stack([gray, gray[:, ::-1]]), axis=0).ravel()

        return np.stack([of(scan.sample(row).read()) for row in range(len(scan))])

    monkeypatch.setattr("ftaug.runs.doctor.backbone_features.backbone_features", features)


def test_a_mirrored_copy_in_the_report_and_on_the_sheet(tmp_path, monkeypatch, mean_colors):
    diagnosis = examine(open_data(write_planted(tmp_path), (), trust_plugins=False), labels=True)
    assert [each.count for each in diagnosis.findings if each.check == "similar_features"] == [1]
    (pair,) = json.loads(json.dumps(report.as_json(diagnosis)))["similar"]
    assert pair["similarity"] > 0.99
    assert pair["samples"] == [
        {"split": "train", "name": f"{tmp_path}/train/cat/3.png", "label": "cat"},
        {"split": "test", "name": f"{tmp_path}/test/cat/mirrored.png", "label": "cat"},
    ]
    drawn: list[SheetRow] = []
    monkeypatch.setattr(data_health("image"), "sheet", lambda rows, *texts: drawn.extend(rows) or b"")
    suspects_sheet.write(diagnosis, tmp_path / "out")
    assert [(row.note, [text for _, text in row.cells]) for row in drawn if row.label == "similar"] == [
        ("2 in train, test", ["train, cat: 3.png", "test, cat: mirrored.png"])
    ]


def test_without_features_the_report_says_none(tmp_path):
    diagnosis = examine(open_data(write_pictures(tmp_path), (), trust_plugins=False), labels=False)
    assert report.as_json(diagnosis)["similar"] is None
