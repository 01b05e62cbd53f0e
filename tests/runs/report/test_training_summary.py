"""What `ftaug train` shows people."""

import io
from pathlib import Path

from rich.console import Console

from ftaug.runs.report import training_summary

EVALUATIONS = [
    {"epoch": epoch, "step": 20 * epoch, "train_loss": 10.5 / epoch, "metrics": {"loss": 0.6625, "accuracy": 0.775}}
    for epoch in (1, 2)
]


def test_figures_are_whole_in_a_narrow_terminal():
    out = io.StringIO()
    Console(file=out, width=30).print(training_summary.after(EVALUATIONS, 40))
    rows = [line.split() for line in out.getvalue().splitlines()]
    assert ["1", "20"] in rows and ["2", "best", "40"] in rows
    assert ["1", "10.5000", "0.6625"] in rows and ["2", "5.2500", "0.6625"] in rows
    assert rows.count(["1", "0.7750"]) == rows.count(["2", "0.7750"]) == 1


def test_the_next_commands_can_be_copied():
    commands = [" ".join(command.words) for command in training_summary.next_steps(Path("runs/a b"))]
    assert commands[:2] == ["ftaug evaluate 'runs/a b'", "ftaug predict 'runs/a b' INPUT"]


def test_times_are_those_of_the_command_and_of_the_rows():
    rows = [
        {"loss": 1.0, "samples": 300, "time": {"samples_per_second": 10.0}},
        {"loss": 1.0, "samples": 900, "time": {"samples_per_second": 30.0}},
        {"val": {"loss": 1.0}, "time": {"seconds": 70.5}},
    ]
    figures = "training 0:01:00 (20 samples/s), evaluation 0:01:10"
    assert training_summary.times(rows, 3725.0, resumed=False) == f"total time 1:02:05: {figures}"
    assert training_summary.times(rows[:2], 5.0, resumed=True) == (
        "total time 0:00:05 since it was resumed; in all training 0:01:00 (20 samples/s)"
    )
