"""Searches with a planted objective in place of trainings."""

from pathlib import Path

from ftaug.experiment_file import open_experiment
from ftaug.runs.search.search_file import open_search
from ftaug.runs.study.study_run import Failure, StudyRun

EXPERIMENT = """
data: {{train: digits, val: {{split: 40%}}}}
backbone: {{resnet20: {{weights: letters}}}}
unfreeze: [head]
lr: {{peak: {{search: {{log: [1e-4, 1.0]}}}}}}
train: {{epochs: 10, ema: {{search: [0.9, 0.99, null]}}}}
search: {search}
"""


def searched(folder, search="{confirm: null}", text=EXPERIMENT, overrides=()):
    path = Path(folder, "e.yaml")
    path.write_text(text.format(search=search))
    return open_search(open_experiment(path), overrides)


def simulate(plan, objective, runs=(), until=lambda runs: False):
    """Train as the plan says, the metric being that of an objective of the overrides and the facts of a run."""
    runs = list(runs)
    while not until(runs) and (spec := plan(runs)) is not None:
        assert spec.name not in {run.spec.name for run in runs}
        runs.append(finished(spec, objective(spec)))
    return runs


def finished(spec, value):
    """A run with a metric, or that has failed with an exit code."""
    path = Path("search", spec.name)
    if isinstance(value, Failure):
        return StudyRun(spec, path, failure=value)
    return StudyRun(spec, path, metrics={"accuracy": value, "loss": -value})
