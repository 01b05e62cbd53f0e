"""Whether every sample can be read, before a run is hours on its way."""

from collections.abc import Mapping
from typing import Any

from ftaug.config.experiment import Experiment
from ftaug.engine.batches import Failure, answers, once, processes
from ftaug.engine.portion import Portion
from ftaug.engine.setup import prepared
from ftaug.errors import BadData, Problem
from ftaug.runs.ticker import Ticker


def read_all(experiment: Experiment, data: Mapping[str, Portion], preprocessing: Mapping[str, Any]) -> int:
    """Read and prepare every sample once, as evaluation does; returns how many. Raises BadData naming all that fail."""
    total = sum(map(len, data.values()))
    problems: list[Problem] = []
    with Ticker(total, 0, unit="sample") as ticker:
        for purpose, portion in data.items():
            source = prepared(experiment, portion, (), preprocessing)
            for answer in answers(source, once(len(portion), 1), processes(experiment.data.workers), pin=False):
                ticker.tick()
                ticker.status(purpose)
                if isinstance(answer, Failure):
                    problems += answer.error.problems
    if problems:
        raise BadData(*problems, f"{len(problems):,} of {total:,} samples cannot be read; mend or remove them")
    return total
