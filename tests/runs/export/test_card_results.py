"""Results are those of the exported checkpoint: test before validation, with intervals, else the last validation."""

import json
from types import SimpleNamespace

from ftaug.runs.export.card_results import read_results


def opened(folder, checkpoint="step-4"):
    return SimpleNamespace(folder=folder, checkpoint=SimpleNamespace(name=checkpoint))


def write_report(folder, split, accuracy, checkpoint="step-4"):
    report = {
        "checkpoint": checkpoint,
        "samples": 40,
        "metrics": {"accuracy": accuracy, "loss": 0.5},
        "intervals": {"accuracy": {"value": accuracy, "low": accuracy - 0.1, "high": 1.0, "note": "few errors"}},
        "classes": [
            {
                "class": "a|b",
                "samples": 20,
                "predicted": 10,
                "precision": 0.5,
                "recall": 0.25,
                "f1": 1 / 3,
                "intervals": {},
            }
        ],
    }
    (folder / "report").mkdir(exist_ok=True)
    (folder / "report" / f"evaluate-{split}.json").write_text(json.dumps(report))


def test_test_samples_before_validation(tmp_path):
    write_report(tmp_path, "val", 0.9)
    assert read_results(opened(tmp_path)).split == "val"
    write_report(tmp_path, "test", 0.8)
    results = read_results(opened(tmp_path))
    assert (results.split, results.names) == ("test", ["accuracy"])
    text = "\n".join(results.markdown(20))
    assert "On 40 test samples:" in text
    assert "| accuracy | 0.8000 | 0.7000 to 1.0000 | few errors |" in text
    assert r"| a\|b | 20 | 0.5000 | 0.2500 | 0.3333 |" in text
    assert "chosen on these samples" not in text
    assert r"a\|b" not in "\n".join(results.markdown(0))
    (index,) = results.model_index("pets", "image-classification")
    (result,) = index["results"]
    assert result["metrics"] == [
        {"type": "accuracy", "value": 0.8, "name": "accuracy (95 % interval 0.7000 to 1.0000)"}
    ]


def test_results_of_another_checkpoint_are_not_those_of_the_export(tmp_path):
    write_report(tmp_path, "test", 0.8, checkpoint="step-2")
    (tmp_path / "complete.json").write_text(json.dumps({"step": 4, "best": 4, "metrics": {"accuracy": 0.75}}))
    results = read_results(opened(tmp_path))
    text = "\n".join(results.markdown(20))
    assert "| accuracy | 0.7500 |  |  |" in text
    assert f"`ftaug evaluate {tmp_path.name}` computes intervals" in text
    assert "The checkpoint was chosen on these samples" in text


def test_without_any(tmp_path):
    results = read_results(opened(tmp_path))
    assert results.names == []
    assert next(results.markdown(20)).startswith("Not evaluated; ")


def test_folds_have_the_means_of_their_validations(tmp_path):
    (tmp_path / "folds.json").write_text(
        json.dumps({"digest": "a", "folds": 2, "metrics": {"accuracy": 0.6}, "complete": True})
    )
    text = "\n".join(read_results(opened(tmp_path)).markdown(20))
    assert text.startswith("On out-of-fold samples:") and "| accuracy | 0.6000 |" in text
