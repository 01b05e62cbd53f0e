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
    Console(file=out, width=30, soft_wrap=True).print(training_summary.after(EVALUATIONS, 40))
    first, second = out.getvalue().splitlines()[-3:-1]
    assert first.split() == ["1", "20", "10.5000", "0.6625", "0.7750"]
    assert second.split() == ["2", "40", "5.2500", "0.6625", "0.7750", "best"]


def test_the_next_commands_can_be_copied():
    assert "ftaug evaluate 'runs/a b' · ftaug predict 'runs/a b' INPUT" in training_summary.next_steps(Path("runs/a b"))
