"""The table has a row for each step and a column for each tag; a continued run drops the rows after its checkpoint."""

import csv
import math

from logged_runs import logged_run

from ftaug.components.loggers.csv_table import csv as csv_logger


def rows(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_columns_grow_and_a_step_is_one_row(tmp_path):
    logger = csv_logger(logged_run(tmp_path))
    logger.log(1, {"train/loss": 2.5, "lr": 0.1})
    logger.log(2, {"train/loss": 1.25, "lr": 1e-5})
    logger.log(2, {"val/accuracy": math.nan})
    logger.log(3, {"train/loss": 1.0, "lr": 0.1})
    logger.image("curves", tmp_path / "curves.png")
    logger.close("finished")
    assert rows(tmp_path) == [
        {"step": "1", "train/loss": "2.5", "lr": "0.1", "val/accuracy": ""},
        {"step": "2", "train/loss": "1.25", "lr": "1e-05", "val/accuracy": "nan"},
        {"step": "3", "train/loss": "1.0", "lr": "0.1", "val/accuracy": ""},
    ]


def test_a_continued_run_continues_the_table(tmp_path):
    logger = csv_logger(logged_run(tmp_path))
    for step in (1, 2, 3):
        logger.log(step, {"train/loss": float(step)})
    logger = csv_logger(logged_run(tmp_path, step=2))
    logger.log(3, {"train/loss": 30.0, "lr": 0.5})
    assert [(row["step"], row["train/loss"], row["lr"]) for row in rows(tmp_path)] == [
        ("1", "1.0", ""),
        ("2", "2.0", ""),
        ("3", "30.0", "0.5"),
    ]
    csv_logger(logged_run(tmp_path))  # a new run
    assert rows(tmp_path) == []
