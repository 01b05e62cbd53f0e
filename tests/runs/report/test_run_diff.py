"""The verdict of a comparison, and its lines."""

from pathlib import Path

import pytest

from ftaug.engine.system.checkpoint_diff import FileDifference, TensorDifference
from ftaug.runs.report import run_diff as report
from ftaug.runs.run_diff import RowDifference, RunDiff, SampleDifference

OTHER = FileDifference(
    "model", 3, [TensorDifference("a", 0.5, 0.25), TensorDifference("b", None, None, "only in the first")]
)


def diff(row=None, files=(), newest=(8, 8), **more):
    return RunDiff((Path("a"), Path("b")), {}, {}, {}, row, 8, files, newest, **more)


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (diff(), "the same bits: metrics, and all tensors of step 8"),
        (diff(files=[OTHER]), "the same metrics, but other tensors"),
        (diff(newest=(8, 4)), "the same metrics, but the newest checkpoints are of steps 8 and 4"),
        (diff(RowDifference(5, 4, "loss", ("1.0", "2.0"))), "different bits from step 5 on"),
        (diff(RowDifference(5, 4, "step", (5, None))), "the same metrics until step 4"),
    ],
)
def test_the_verdict(result, verdict):
    assert report.verdict(result) == verdict
    assert report.as_json(result)["same"] == verdict.startswith("the same bits")


def test_the_lines(capsys):
    row = RowDifference(5, 4, "loss", ("1.0", "2.0"))
    report.show(diff(row, [OTHER], samples=SampleDifference(5, "values", ["x.png"])))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "a and b: different bits from step 5 on",
        "metrics step 5: loss 1.0 and 2.0",
        "samples step 5: 1 with other values (x.png)",
        "model step 8: 2 of 3 tensors differ, the first is a; b: only in the first",
    ]
