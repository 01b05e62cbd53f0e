"""Runs to log, without training."""

from ftaug.interfaces.logger import LoggedRun

SETTINGS = {"name": "digits", "train": {"epochs": 3}, "augment": [{"rotate": {"degrees": 15}}, "flip"], "mix": None}


def logged_run(folder, step=0):
    return LoggedRun(folder, folder.name, step, SETTINGS)
