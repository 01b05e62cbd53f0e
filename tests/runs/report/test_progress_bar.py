"""Progress away from a terminal: a line every 30 seconds, with the time that is left."""

import pytest

from ftaug.runs.report import progress_bar
from ftaug.runs.report.progress_bar import ProgressBar


@pytest.fixture
def clock(monkeypatch):
    clock = {"now": 100.0}
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: clock["now"])
    return clock


def lines(capsys):
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_a_line_every_thirty_seconds(clock, capsys):
    with ProgressBar(100, 0) as bar:
        for second in range(1, 91):
            clock["now"] += 1
            if second % 9 == 0:
                bar.advance()
            bar.status("loss 0.5")
    assert lines(capsys) == [
        "step 3/100: loss 0.5, about 0:16:10 left",
        "step 6/100: loss 0.5, about 0:15:40 left",
        "step 10/100: loss 0.5, about 0:13:30 left",
    ]


def test_steps_done_before_do_not_count_in_the_time_left(clock, capsys):
    """Two steps in 30 seconds, and 40 to go: ten minutes."""
    bar = ProgressBar(60, 18, epoch_steps=10)
    bar.advance()
    bar.advance()
    clock["now"] += 30
    bar.status()
    assert lines(capsys) == ["epoch 2.0, step 20/60: about 0:10:00 left"]


def test_a_line_of_its_own_delays_the_next_status(clock, capsys):
    bar = ProgressBar(10, 0)
    clock["now"] += 20
    bar.line("evaluated \x1b[31m")
    clock["now"] += 20
    bar.status("loss 0.5")
    assert lines(capsys) == ["evaluated \\x1b[31m"]
