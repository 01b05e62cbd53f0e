"""A finding summarizes itself for errors and for JSON."""

from ftaug.runs.doctor.finding import Finding


def test_summary_and_json():
    finding = Finding("unreadable", "problem", 2, "train: cannot be read", ["a.jpg: empty"], "delete them")
    assert finding.summary == "train: cannot be read (2 samples); delete them"
    assert Finding("classes", "problem", 0, "train: no sample of class 'a'").summary == "train: no sample of class 'a'"
    assert finding.as_json() == {
        "check": "unreadable",
        "level": "problem",
        "samples": 2,
        "text": "train: cannot be read",
        "examples": ["a.jpg: empty"],
        "remedy": "delete them",
    }
