"""Weight change of each stage during training: relative norm of the difference, and gradient norms."""

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
class StageChange:
    """How far training changed the weights of a stage."""

    stage: str
    change: float  # ‖final − initial‖ / ‖initial‖
    unchanged: bool  # bitwise, BatchNorm statistics included
    gradient: float | None  # root mean square of its gradient norm over the recorded steps
    rate: float | None  # peak learning rate: the highest of its parameter groups; None if frozen


def compare_weights(run: Path, state: TrainingState, rows: Sequence[Mapping[str, Any]]) -> list[StageChange]:
    """Compare a run's best weights with its initial weights; raises what loading pretrained weights raises."""
    start = initial_weights(state.experiment, state.task, state.scale)
    end = _best_weights(run, state)
    rates: dict[str, float] = {}
    for group in state.plan.groups:
        factor = max([group.lr_factor, *(later for _, later in group.changes)])
        rates[group.stage] = max(rates.get(group.stage, 0.0), state.experiment.lr.peak * factor)
    return [
        StageChange(
            stage.name, *_distance(stage, start.weights, end), _gradient(stage.name, rows), rates.get(stage.name)
        )
        for stage in start.stages
    ]


def _best_weights(run: Path, state: TrainingState) -> Mapping[str, Tensor]:
    """Load the best weights of a run on the CPU, with those of its PEFT method merged."""
    if state.method.parameters:
        return weights_of(open_single_run(run, "cpu", trust_plugins=True))  # this process has imported its plugins
    return best_weights(run)[1]


def _distance(stage: Stage, start: Mapping[str, Tensor], end: Mapping[str, Tensor]) -> tuple[float, bool]:
    names = [name for name in end if stage.holds(name)]
    weights = [name for name in names if end[name].is_floating_point() and "running_" not in name]
    difference = math.sqrt(sum(float((end[name] - start[name]).double().square().sum()) for name in weights))
    size = math.sqrt(sum(float(start[name].double().square().sum()) for name in weights))
    return difference / size if size else 0.0, all(start[name].equal(end[name]) for name in names)


def _gradient(stage: str, rows: Sequence[Mapping[str, Any]]) -> float | None:
    norms = [row["gradients"][stage] for row in rows if stage in row.get("gradients", {})]
    return math.sqrt(sum(norm**2 for norm in norms) / len(norms)) if norms else None


def write(run: Path, changes: Sequence[StageChange], rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write moved.json and moved.png into the report folder; return the path of the plot."""
    folder = run / "report"
    with storage_errors(f"{folder}: cannot be written"):
        make_inside(folder)
        replace(folder / "moved.json", (dumps([asdict(stage) for stage in changes], indent=1) + "\n").encode())
        return plots.weight_change({stage.stage: stage.change for stage in changes}, rows, folder / "moved.png")


def table(changes: Sequence[StageChange]) -> Table:
    """Build the human-readable table of the stages' weight change."""
    rows = [
        (
            stage.stage,
            "unchanged" if stage.unchanged else f"{stage.change:.2%}",
            "" if stage.gradient is None else f"{stage.gradient:.3g}",
            "frozen" if stage.rate is None else f"{stage.rate:.3g}",
        )
        for stage in changes
    ]
    return console.table(("stage", "weight change", "gradient", "peak rate"), rows)
