"""`ftaug diff` on runs that were trained with other settings."""

import json

from ftaug.cli import run


def test_where_two_runs_part(desk, started, capsys):
    assert run(["diff", str(desk / "run"), str(started / "run"), "--json"]) == 5
    result = json.loads(capsys.readouterr().out)
    assert not result["same"]
    assert "train.epochs" in result["settings"]
    assert (result["metrics"]["step"], result["metrics"]["field"]) == (1, "loss")
    assert result["samples_note"] == "the samples of step 1 are the same"
    assert run(["diff", str(desk / "run"), str(started / "run")]) == 5
    out, err = capsys.readouterr()
    assert "different bits from step 1 on" in out
    assert "different bits from step 1 on" in err
