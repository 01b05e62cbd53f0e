"""Progress away from a terminal: a line every 30 seconds, with the time that is left; on one, a bar."""

import sys

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
    assert lines(capsys) == ["epoch 2/6, step 20/60: about 0:10:00 left"]


def test_a_line_of_its_own_delays_the_next_status(clock, capsys):
    bar = ProgressBar(10, 0)
    clock["now"] += 20
    bar.line("evaluated \x1b[31m")
    clock["now"] += 20
    bar.status("loss 0.5")
    assert lines(capsys) == ["evaluated \\x1b[31m"]


def test_on_a_terminal_brief_lines_are_printed_and_whole_ones_recorded(clock, capsys, monkeypatch):
    recorded = []
    monkeypatch.setattr(progress_bar.console, "record", lambda *blocks: recorded.extend(blocks))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with ProgressBar(10, 0, epoch_steps=5) as bar:
        for _ in range(7):
            clock["now"] += 1
            bar.figures = "loss 0.5"
            bar.advance()
        bar.log("train loss 0.5, val loss 0.4", brief="epoch 1.4: val loss 0.4")
        clock["now"] += 31
        bar.status("loss 0.4")
    err = capsys.readouterr().err
    assert recorded == [
        "epoch 1.4/2, step 7/10: train loss 0.5, val loss 0.4, about 0:00:03 left",
        "epoch 1.4/2, step 7/10: loss 0.4, about 0:00:16 left",
    ]
    assert "\x1b[Jepoch 1.4: val loss 0.4\n" in err
    assert " 70% [################--------]  7/10  loss 0.5  0:00:03 left  1.0 step/s" in err
    assert err.endswith("\n")


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    with ProgressBar(10, 0) as bar:
        bar.advance()
        clock["now"] += 31
        bar.status()
    assert lines(capsys) == ["step 1/10: about 0:04:39 left"]


def test_a_day_is_less_than_a_megabyte(clock, capsys):
    """With a step a second, and an evaluation and the end of an epoch every ten minutes."""
    figures = "train loss 2.4988, lr 2.89e-03, 1,069 samples/s"
    with ProgressBar(86_400, 0, epoch_steps=600) as bar:
        for step in range(1, 86_401):
            clock["now"] += 1
            bar.advance()
            bar.status(figures)
            if step % 600 == 0:
                bar.log(f"{figures}, val loss 2.8767, accuracy 0.1000 (best)", brief="")
    written = lines(capsys)
    assert len(written) >= 86_400 / 30
    assert sum(len(line) + 40 for line in written) < 1e6  # train.log has the time of day and the level besides
