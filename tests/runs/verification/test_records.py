"""Records of a run: against hashes where it is complete, against its newest checkpoint where it is not."""

import json

import pytest

from ftaug.runs.verification import checkpoints, records


def states(checks):
    return {check.path: check.state for check in checks}


def unfinished(run):
    saved = checkpoints.read_state(checkpoints.newest_good(run, [*checkpoints.check_checkpoints(run, "0123")]))
    return states(records.check_unfinished(run, saved, is_running=False))


def test_a_stopped_run(stopped):
    assert set(unfinished(stopped).values()) == {"good"}
    assert unfinished(stopped).keys() >= {"samples.csv", "metrics.jsonl", "model.json", "resolved.yaml"}


@pytest.mark.parametrize(("old", "new"), [("val,b", "train,b"), ("train,d", "val,d"), ("val,b,,1\n", "")])
def test_samples_that_are_not_those_of_the_checkpoints(stopped, old, new):
    path = stopped / "samples.csv"
    path.write_text(path.read_text().replace(old, new))
    assert unfinished(stopped)["samples.csv"] == "damaged"


def test_a_torn_line_of_metrics_is_restored_by_the_next_start(stopped):
    with (stopped / "metrics.jsonl").open("a") as file:
        file.write('{"step": 9, "lo')
    assert unfinished(stopped)["metrics.jsonl"] == "repairable"
    running = records.check_unfinished(stopped, {}, is_running=True)
    assert states(running)["metrics.jsonl"] == "good"  # it is being written


def test_what_a_start_writes_again_is_repairable(stopped):
    for name in ("resolved.yaml", "environment.json"):
        (stopped / name).write_text("{")
    (stopped / "model.json").write_text("{")
    found = unfinished(stopped)
    assert (found["resolved.yaml"], found["environment.json"]) == ("repairable", "repairable")
    assert found["model.json"] == "damaged"


def test_a_complete_run(complete):
    found = states(records.check_complete(complete))
    assert set(found.values()) == {"good"}
    assert found.keys() >= {"samples.csv", "metrics.jsonl", "model.json", "resolved.yaml", "complete.json"}


@pytest.mark.parametrize("name", ["samples.csv", "metrics.jsonl", "model.json", "resolved.yaml", "experiment.yaml"])
def test_every_byte_of_a_complete_run_counts(complete, name):
    (complete / name).write_text((complete / name).read_text() + " ")
    assert states(records.check_complete(complete))[name] == "damaged"
    (complete / name).unlink()
    assert states(records.check_complete(complete))[name] == "missing"


@pytest.mark.parametrize("change", [{"step": 9}, {"metrics": {"accuracy": 0.5}}, {"best": None}])
def test_complete_json_is_compared_with_metrics(complete, change):
    content = json.loads((complete / "complete.json").read_text())
    (complete / "complete.json").write_text(json.dumps({**content, **change}))
    assert states(records.check_complete(complete))["complete.json"] == "damaged"


def test_without_hashes_only_the_format_is_checked(complete):
    (complete / "manifest.json").unlink()
    found = states(records.check_complete(complete))
    assert found["samples.csv"] == "unchecked"
    (complete / "samples.csv").write_text("split,key,sample,target\ntrain,a\n")
    assert states(records.check_complete(complete))["samples.csv"] == "damaged"


@pytest.mark.parametrize(
    ("text", "defect"),
    [
        ('{"step": 1}\n{"step": 2', "line 2 is incomplete"),
        ('{"step": 2}\n{"step": 1}\n', "line 2 is out of order"),
        ('{"step": 1}\nx\n', "line 2 is damaged"),
        ('{"epoch": 1}\n', "line 1 is damaged"),
        ('{"step": 1}\n{"step": 1}\n', ""),
    ],
)
def test_rows_of_metrics(tmp_path, text, defect):
    path = tmp_path / "metrics.jsonl"
    path.write_text(text)
    assert records.format_defect(path) == defect


def test_reports_and_exports(complete):
    report, export = complete / "report", complete / "exports" / "onnx"
    report.mkdir()
    (report / "val.json").write_text("[1")
    (report / "report.html").write_text("<html></html>\n")
    assert states(records.check_report(complete)) == {"report/val.json": "damaged", "report/report.html": "good"}
    (complete / "nonfinite").mkdir()
    (complete / "nonfinite" / "step-0000003.json").write_text("{")
    assert states(records.check_report(complete))["nonfinite/step-0000003.json"] == "damaged"
    export.mkdir(parents=True)
    (export / "a.onnx").write_bytes(b"1")
    digest = "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"  # sha256sum of "1"
    record = {"files": ["a.onnx", "b.onnx", "README.md"], "sha256": {"a.onnx": digest}}
    (export / "README.md").write_text("written by its author")
    (export / "parity.json").write_text(json.dumps(record))
    assert states(records.check_exports(complete)) == {"exports/onnx/a.onnx": "good", "exports/onnx/b.onnx": "missing"}
    (export / "a.onnx").write_bytes(b"2")
    assert states(records.check_exports(complete))["exports/onnx/a.onnx"] == "damaged"


def test_a_calibration_of_another_checkpoint_is_not_used(complete):
    digest = records.manifest_hash(complete / "checkpoints" / "step-0000008")
    path = complete / "calibration.json"
    path.write_text(json.dumps({"checkpoint": "step-0000008", "manifest": digest}))
    assert states(records.check_calibration(complete)) == {"calibration.json": "good"}
    path.write_text(json.dumps({"checkpoint": "step-0000004", "manifest": digest}))
    assert states(records.check_calibration(complete)) == {"calibration.json": "unchecked"}
    path.write_text("{")
    assert states(records.check_calibration(complete)) == {"calibration.json": "damaged"}
