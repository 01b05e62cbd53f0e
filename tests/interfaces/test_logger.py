"""Loggers that need no other package have the methods of the interface, and take what a run calls them with."""

import pytest
from logged_runs import logged_run

from ftaug.components.loggers.csv_table import csv
from ftaug.components.loggers.tensorboard import tensorboard
from ftaug.interfaces.logger import Logger


@pytest.mark.parametrize("component", [csv, tensorboard])
def test_the_methods_of_a_logger(tmp_path, component):
    logger: Logger = component(logged_run(tmp_path))
    assert logger.log(1, {"train/loss": 1.0, "val/accuracy": float("nan")}) is None
    assert logger.close("failed") is None
    assert callable(logger.image)
