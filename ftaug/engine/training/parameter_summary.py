"""Model summary by stage: number of parameters, which are trainable, from which step and at what learning rate."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ftaug.config.experiment import Experiment
from ftaug.engine.training.unfreeze import Plan
from ftaug.interfaces.model import Backbone, TrainingLength

POINTS = 1000  # maximum number of steps to sample the schedule at


@dataclass(frozen=True)
class Row:
    """A row of the summary: parameters of one stage with the same first step and learning rate."""

    stage: str
    parameters: int
    from_step: int | None  # None: frozen for the whole run
    lr_factor: float  # at its first step
    changes: tuple[tuple[int, float], ...]  # step and the factor from then on
    rate_at_start: float  # at its first step
    rate_at_peak: float
    weight_decay: float
    exempt: int  # number of parameters without weight decay
    batch_norms: int
    batch_norms_learn_from: int | None  # first step; None: running statistics stay fixed


def outline(backbone: Backbone, experiment: Experiment, plan: Plan, length: TrainingLength) -> list[Row]:
    """Summarize every stage from stem to head: a row for each first step and rate, and one for frozen parameters."""
    sizes = {name: parameter.numel() for name, parameter in backbone.network.named_parameters()}
    rates = course(experiment, length)
    decay = float(experiment.optimizer.settings.get("weight_decay", 0.0))
    rows = []
    for stage in backbone.stages:
        frozen = {name: size for name, size in sizes.items() if plan.stage_of[name] == stage.name}
        norms, norms_from = _batch_norms(stage.name, backbone.network, plan)
        of_stage = [group for group in plan.groups if group.stage == stage.name]
        for start, factor, changes in sorted({(g.from_step, g.lr_factor, g.changes) for g in of_stage}):
            groups = [g for g in of_stage if (g.from_step, g.lr_factor, g.changes) == (start, factor, changes)]
            learning = {name: group.decays for group in groups for name in group.names}
            exempt = sum(sizes[name] for name, decays in learning.items() if not decays)
            later = [rate * groups[0].factor_at(step) for step, rate in rates if step >= start]
            size = sum(frozen.pop(name) for name in learning)
            at_start = experiment.lr.schedule(start, length) * experiment.lr.peak
            peak = max([at_start * factor, *later])
            rated = (start, factor, changes, at_start * factor, peak)
            rows.append(Row(stage.name, size, *rated, decay, exempt, norms, norms_from))
        if frozen:
            rows.append(Row(stage.name, sum(frozen.values()), None, 0.0, (), 0.0, 0.0, 0.0, 0, norms, norms_from))
    return rows


def course(experiment: Experiment, length: TrainingLength) -> list[tuple[int, float]]:
    """Sample the learning-rate schedule over the run, as (step, rate); assumes that every evaluation improves."""
    stride = max(1, length.total_steps // POINTS)
    steps = sorted({*range(0, length.total_steps, stride), length.total_steps - 1})
    return [(step, experiment.lr.peak * experiment.lr.schedule(step, length)) for step in steps]


def _batch_norms(stage: str, network: nn.Module, plan: Plan) -> tuple[int, int | None]:
    """Count the BatchNorm layers of a stage; also return the first step at which their statistics are updated."""
    norms = {id(m) for name, m in network.named_modules() if isinstance(m, _BatchNorm) and plan.stage_of[name] == stage}
    starts: Iterator[int] = (s for s in plan.starts if norms - {id(module) for module in plan.eval_modules(network, s)})
    return len(norms), next(starts, None)
