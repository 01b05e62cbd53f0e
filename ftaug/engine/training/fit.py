"""The training loop: a generator that yields after every optimizer step; what the caller does then is its hook."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ftaug.config.strict_json import nan_for_null
from ftaug.engine.loading.batches import Batch, batches
from ftaug.engine.loading.prepare import views_of
from ftaug.engine.system.profiler import phase
from ftaug.engine.training.distillation import distillation_loss
from ftaug.engine.training.micro_batches import micro_batches
from ftaug.engine.training.peft import require_reached
from ftaug.engine.training.state import TrainingState
from ftaug.errors import Diverged
from ftaug.interfaces.data import MeanLoss
from ftaug.interfaces.model import TrainingLength

ROWS_PER_EPOCH = 20


@dataclass
class Progress:
    """How far a run has come: all of its state that is not a tensor, as JSON keeps it."""

    step: int = 0  # optimizer steps done
    scores: list[float] = field(default_factory=list)  # the best-metric of each evaluation, higher is better
    losses: list[float] = field(default_factory=list)  # the validation loss of each; runs begun before have none
    evaluated: int = 0  # the step of the last evaluation
    best_step: int | None = None
    window_loss: float = 0.0  # summed over the samples since the last row of metrics.jsonl
    window_samples: int = 0
    scaler: dict[str, float] = field(default_factory=dict)  # of fp16

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Progress":
        """Read what a checkpoint holds: a score or a loss that was not finite is null there."""
        undefined = {key: nan_for_null(values[key]) for key in ("scores", "losses", "window_loss") if key in values}
        return cls(**{**values, **undefined})


@dataclass(frozen=True)
class Step:
    """One optimizer step that was taken."""

    number: int  # from 1
    epoch: int  # from 0
    loss: Tensor  # mean over the samples, detached, on the device
    rate: float  # the peak rate times the schedule's factor
    samples: int
    gradient_norm: Tensor | None  # before clipping, where the gradients are clipped
    stage_norms: Mapping[str, Tensor]  # of the gradient of each stage that learns, before clipping; of some steps alone


def fit(setup: TrainingState, progress: Progress) -> Iterator[Step]:
    """Train from `progress.step` to the end of the horizon."""
    plan, network = setup.plan, setup.model.network
    feed = fed(setup, progress.step)
    network.eval()
    previous: Step | None = None
    for step in range(progress.step, setup.horizon.total_steps):
        if step in plan.starts or not network.training:  # an evaluation in between leaves it in eval mode
            plan.apply(network, step)
        rate = set_rates(setup, step, progress)
        loss, samples = accumulate_gradients(setup, step, feed)
        if step == 0:
            require_reached(setup.method, network)
        with phase("optimizer"):
            norms = stage_norms(setup) if is_recorded(setup.horizon, step + 1) else {}
            norm = update(setup, step)
        _check_finite(previous)
        previous = Step(step + 1, step // setup.horizon.epoch_steps, loss, rate, samples, norm, norms)
        progress.step = step + 1
        yield previous
    _check_finite(previous)


def fed(setup: TrainingState, start: int) -> Iterator[Batch]:
    """The micro-batches from a step on: of stored features as long as they serve, then of samples."""
    until = start
    if setup.features is not None and start < setup.features.until:
        until = setup.features.until
        yield from batches(setup.features.kept["train"], setup.epochs.requests(start, until), 0, pin=False)
    requests = setup.epochs.requests(until, setup.horizon.total_steps)
    yield from batches(setup.prepared("train"), requests, setup.workers, pin=setup.device.torch.type == "cuda")


def set_rates(setup: TrainingState, step: int, progress: Progress) -> float:
    """Give every parameter group its learning rate for a step (from 0); return that of a factor of 1."""
    lr = setup.experiment.lr
    rate = lr.peak * lr.schedule(step, setup.horizon._replace(scores=tuple(progress.scores)))
    for group, plan in zip(setup.optimizer.param_groups, setup.plan.groups, strict=True):
        group["lr"] = rate * plan.factor_at(step)
    return float(rate)


def accumulate_gradients(setup: TrainingState, step: int, feed: Iterator[Batch]) -> tuple[Tensor, int]:
    """Run the micro-batches of a step forward and backward; return the mean loss and the number of samples.

    A mean over samples is weighted by the share of the samples, which is known beforehand. One over other items, such
    as tokens, is weighted by their number per sample of the step, and divided by the sum of the weights at the end.
    """
    total = torch.zeros((), device=setup.device.torch)
    weights, samples = 0.0, 0
    for inputs, targets, share in micro_batches(setup, step, feed):
        with phase("forward"):
            loss, items = loss_of(setup, inputs, targets, setup.network_at(step))
            weight = share * (items / len(targets))
        with phase("backward"):
            torch.autograd.backward(setup.scaler.scale(loss * weight))
        total += loss.detach() * weight
        weights += weight
        samples += len(targets)
    if weights and not math.isclose(weights, 1):
        torch._foreach_div_([p.grad for p in setup.model.parameters() if p.grad is not None], weights)
        total /= weights
    if setup.method.penalty is not None:
        with phase("backward"):
            torch.autograd.backward(setup.scaler.scale(setup.method.penalty()))
    return total, samples


def loss_of(setup: TrainingState, inputs: Any, targets: Tensor, network: nn.Module) -> MeanLoss:
    """Compute the training loss of a batch; its views are concatenated where the objective compares several."""

    def forward(view: Any) -> Tensor:
        with setup.device.autocast():
            logits: Tensor = network(view)
        return logits

    objective, distil = setup.experiment.objective, setup.experiment.distil
    if distil is not None and setup.teacher is not None:
        with setup.device.autocast():
            wanted = setup.teacher.logits(inputs)
        activation = setup.experiment.loss.fact("activation")
        return MeanLoss(
            distillation_loss(distil, activation, setup.loss, forward(inputs), targets, wanted), len(targets)
        )
    if objective is None:
        return MeanLoss(setup.loss(forward(inputs), targets), len(targets))
    loss: Tensor | MeanLoss = objective(forward, inputs.chunk(views_of(setup.experiment)), targets, setup.loss)
    return loss if isinstance(loss, MeanLoss) else MeanLoss(loss, len(targets))


def is_recorded(horizon: TrainingLength, step: int) -> bool:
    """Whether a row of metrics follows a step (from 1)."""
    return step % max(1, horizon.epoch_steps // ROWS_PER_EPOCH) == 0 or step % horizon.epoch_steps == 0


def stage_norms(setup: TrainingState) -> dict[str, Tensor]:
    """The norm of the gathered gradient of each stage, on the device."""
    gradients: dict[str, list[Tensor]] = {}
    for group in setup.optimizer.param_groups:
        gradients.setdefault(group["name"], []).extend(p.grad for p in group["params"] if p.grad is not None)
    scale = setup.scaler.get_scale()
    return {
        stage: torch.stack(torch._foreach_norm(found)).norm() / scale for stage, found in gradients.items() if found
    }


def update(setup: TrainingState, step: int) -> Tensor | None:
    """Apply the gathered gradients; return their norm where they are clipped."""
    norm = None
    clip = setup.experiment.train.clip_norm
    if clip is not None:
        setup.scaler.unscale_(setup.optimizer)
        parameters = [p for group in setup.optimizer.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.nn.utils.clip_grad_norm_(parameters, clip)
    setup.scaler.step(setup.optimizer)
    setup.scaler.update()
    setup.optimizer.zero_grad(set_to_none=True)
    if setup.average is not None:
        setup.average.update(setup.model.network, step + 1)
    return norm


def _check_finite(step: Step | None) -> None:
    """Raise Diverged; looked at one step later, so that a GPU is not waited for."""
    if step is not None and not math.isfinite(step.loss.item()):
        raise Diverged(
            f"training diverged: the loss of step {step.number} (epoch {step.epoch + 1}) is {step.loss.item()}; "
            f"try a lower lr.peak (now {step.rate:.3g} at that step), train.clip_norm=1.0 or a warm-up"
        )
