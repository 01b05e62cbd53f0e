"""What training moved: how far each stage is from where it started, and how strong its gradients were."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from torch import Tensor

from ftaug.config.strict_json import dumps
from ftaug.engine.system.storage import make_inside, replace, storage_errors
from ftaug.engine.training.state import TrainingState
from ftaug.interfaces.model import Stage
from ftaug.runs.initial_weights import initial_weights, weights_of
from ftaug.runs.report import console, plots
from ftaug.runs.trained_model import best_weights, open_single_run


@dataclass(frozen=True)
class Moved:
    """A stage after training."""

    stage: str
    change: float  # the norm of the difference of its weights over the norm of those at the start
    unchanged: bool  # to the last bit, statistics of BatchNorm included
    gradient: float | None  # the root of the mean square of its gradient's norm over the steps that were recorded
    rate: float | None  # the highest of its groups, at a factor of 1


def what_moved(run: Path, setup: TrainingState, rows: Sequence[Mapping[str, Any]]) -> list[Moved]:
    """Compare a run's best weights with its initial weights; raises what reading pretrained weights raises."""
    start = initial_weights(setup.experiment, setup.task, setup.scale)
    end = _best_weights(run, setup)
    rates: dict[str, float] = {}
    for group in setup.plan.groups:
        factor = max([group.lr_factor, *(later for _, later in group.changes)])
        rates[group.stage] = max(rates.get(group.stage, 0.0), setup.experiment.lr.peak * factor)
    return [
        Moved(stage.name, *_distance(stage, start.weights, end), _gradient(stage.name, rows), rates.get(stage.name))
        for stage in start.stages
    ]


def _best_weights(run: Path, setup: TrainingState) -> Mapping[str, Tensor]:
    """The best weights of a run on the CPU, those of its method merged into the network's."""
    if setup.method.parameters:
        return weights_of(open_single_run(run, "cpu", trust_plugins=True))  # this process has imported its plugins
    return best_weights(run)[1]


def _distance(stage: Stage, start: Mapping[str, Tensor], end: Mapping[str, Tensor]) -> tuple[float, bool]:
    names = [name for name in end if stage.holds(name)]
    weights = [name for name in names if end[name].is_floating_point() and "running_" not in name]
    away = math.sqrt(sum(float((end[name] - start[name]).double().square().sum()) for name in weights))
    size = math.sqrt(sum(float(start[name].double().square().sum()) for name in weights))
    return away / size if size else 0.0, all(start[name].equal(end[name]) for name in names)


def _gradient(stage: str, rows: Sequence[Mapping[str, Any]]) -> float | None:
    found = [row["gradients"][stage] for row in rows if stage in row.get("gradients", {})]
    return math.sqrt(sum(norm**2 for norm in found) / len(found)) if found else None


def write(run: Path, moved: Sequence[Moved], rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write the table and the picture into the report; returns where the picture is."""
    folder = run / "report"
    with storage_errors(f"{folder}: cannot be written"):
        make_inside(folder)
        replace(folder / "moved.json", (dumps([asdict(one) for one in moved], indent=1) + "\n").encode())
        return plots.moved({one.stage: one.change for one in moved}, rows, folder / "moved.png")


def table(moved: Sequence[Moved]) -> Table:
    """The stages for a person."""
    rows = [
        (
            one.stage,
            "unchanged" if one.unchanged else f"{one.change:.2%}",
            "" if one.gradient is None else f"{one.gradient:.3g}",
            "frozen" if one.rate is None else f"{one.rate:.3g}",
        )
        for one in moved
    ]
    return console.table(("stage", "moved by", "gradient", "peak rate"), rows)
