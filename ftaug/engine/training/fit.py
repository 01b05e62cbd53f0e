"""The training loop, as a generator that yields after every optimizer step.

The caller logs, evaluates and saves between two steps, so that the loop needs no callbacks.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ftaug.config.strict_json import nan_for_null
from ftaug.engine.loading.batches import Batch, batches
from ftaug.engine.loading.prepare import views_of
from ftaug.engine.system.profiler import phase
from ftaug.engine.training.batchnorm import updated_norms
from ftaug.engine.training.distillation import distillation_loss
from ftaug.engine.training.micro_batches import micro_batches
from ftaug.engine.training.nonfinite import BufferSnapshot, Nonfinite, find_nonfinite, recovery_of
from ftaug.engine.training.overlapped_exchange import OverlappedExchange
from ftaug.engine.training.peft import require_gradients
from ftaug.engine.training.sharding import apply_plan, gathered
from ftaug.engine.training.state import TrainingState
from ftaug.engine.training.step_parts import Part, PartStatistics, sum_in_order, take_gradients, tree_sum
from ftaug.errors import Diverged
from ftaug.interfaces.data import MeanLoss, SemiSupervisedViews
from ftaug.interfaces.model import TrainingLength

ROWS_PER_EPOCH = 20


@dataclass
class Progress:
    """Training progress: the part of a checkpoint that is not tensors, serializable as JSON."""

    step: int = 0  # optimizer steps done
    scores: list[float] = field(default_factory=list)  # the best-metric of each evaluation, higher is better
    losses: list[float] = field(default_factory=list)  # the validation loss of each; absent in runs of older versions
    evaluated: int = 0  # the step of the last evaluation
    best_step: int | None = None
    window_loss: float = 0.0  # sum of sample losses since the last row of metrics.jsonl
    window_samples: int = 0
    recent_losses: list[float] = field(default_factory=list)  # of the latest steps, to find spikes
    nonfinite: list[int] = field(default_factory=list)  # the steps that were not applied
    rollback_step: int | None = None  # the step whose checkpoint `on_nonfinite: rollback` returns to
    scaler: dict[str, float] = field(default_factory=dict)  # state dict of the GradScaler (fp16)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Progress":
        """Restore the progress from a checkpoint's JSON, where non-finite scores and losses are null."""
        undefined = {key: nan_for_null(values[key]) for key in ("scores", "losses", "window_loss") if key in values}
        return cls(**{**values, **undefined})


@dataclass(frozen=True)
class Step:
    """The result of one optimizer step."""

    number: int  # from 1
    epoch: int  # from 0
    loss: Tensor  # mean over the samples, detached, on the device
    rate: float  # learning rate of a factor of 1: the peak rate times the schedule's factor
    samples: int
    gradient_norm: Tensor | None  # total norm before clipping; None in fp16 without clipping
    stage_norms: Mapping[str, Tensor]  # gradient norm of each trainable stage, before clipping; empty on most steps
    nonfinite: Nonfinite | None = None  # why it was not applied

    @property
    def error(self) -> Diverged:
        """The error for a loss or gradient that is not finite."""
        return Diverged(
            f"training diverged: the {self.nonfinite and self.nonfinite.figure} of step {self.number} (epoch "
            f"{self.epoch + 1}) is {self.nonfinite and self.nonfinite.value}; try a lower lr.peak (now {self.rate:.3g} "
            "at that step), train.clip_norm=1.0 or a warm-up"
        )


def fit(state: TrainingState, progress: Progress) -> Iterator[Step]:
    """Run the training loop from `progress.step` to the last step, yielding after each.

    A step whose loss or gradient is not finite is not applied: weights, optimizer, average and BatchNorm statistics
    stay as they are. With `on_nonfinite: stop` it does not count, and the next iteration raises Diverged.
    """
    plan, network = state.plan, state.model.network
    feed = batch_feed(state, progress.step)
    network.eval()
    buffers = BufferSnapshot(network.buffers())
    stops = recovery_of(state.experiment.train, state.training_length).action == "stop"
    for step in range(progress.step, state.training_length.total_steps):
        if step in plan.starts or not network.training:  # an evaluation in between leaves it in eval mode
            apply_plan(state, step)
        rate = set_rates(state, step, progress)
        buffers.take()
        loss, samples, observed = accumulate_gradients(state, step, feed)
        if step == 0:
            require_gradients(state.method, network)
        with phase("optimizer"):
            norms = stage_norms(state) if is_recorded(state.training_length, step + 1) else {}
            norm = gradient_norm(state)
            nonfinite = find_nonfinite(loss, norm)
            if nonfinite is not None:
                state.optimizer.zero_grad(set_to_none=True)
                buffers.restore()
            else:
                norm = update(state, step, norm)
                if state.means is not None:
                    state.means.update(observed)
        result = Step(step + 1, step // state.training_length.epoch_steps, loss, rate, samples, norm, norms, nonfinite)
        if not (nonfinite and stops):
            progress.step = step + 1
        yield result
        if nonfinite and stops:
            raise result.error


def batch_feed(state: TrainingState, start: int) -> Iterator[Batch]:
    """Iterate the micro-batches from a step on: cached features until the prefix unfreezes, then samples."""
    until = start
    if state.features is not None and start < state.features.until:
        until = state.features.until
        yield from batches(state.features.datasets["train"], state.epochs.requests(start, until), 0, pin=False)
    requests = state.epochs.requests(until, state.training_length.total_steps)
    yield from batches(state.prepared("train"), requests, state.workers, pin=state.device.torch.type == "cuda")


def set_rates(state: TrainingState, step: int, progress: Progress) -> float:
    """Set the learning rate of every parameter group for a step (from 0); return that of a factor of 1."""
    lr = state.experiment.lr
    rate = lr.peak * lr.schedule(step, state.training_length._replace(scores=tuple(progress.scores)))
    for group, plan in zip(state.optimizer.param_groups, state.plan.groups, strict=True):
        group["lr"] = rate * plan.factor_at(step)
    return float(rate)


def accumulate_gradients(state: TrainingState, step: int, feed: Iterator[Batch]) -> tuple[Tensor, int, Tensor]:
    """Run the forward and backward pass of a step; return the mean loss, the number of samples and what was observed.

    A loss that is a mean over samples is weighted by the micro-batch's share of the samples, known beforehand. A mean
    over other items, such as tokens, is weighted by items per sample; gradients and loss are divided by the sum of the
    weights at the end.
    """
    if state.epochs.parts == 1:
        total, weights, samples, observed = accumulate_part(state, step, feed)
    else:
        total, weights, samples, observed = _accumulate_parts(state, step, feed)
    # The number of items of a whole step is known only after its last micro-batch.
    if weights and not math.isclose(weights, 1):
        torch._foreach_div_([p.grad for p in state.model.parameters() if p.grad is not None], weights)
        total = total / weights
    if state.method.penalty is not None:
        with phase("backward"):
            torch.autograd.backward(state.scaler.scale(state.method.penalty()))
    return total, samples, observed


def _accumulate_parts(state: TrainingState, step: int, feed: Iterator[Batch]) -> tuple[Tensor, float, int, Tensor]:
    """Accumulate the gradients of the parts of a step, and add up those of all processes."""
    # The backward pass exchanges the gradients of sharded parameters.
    exchanged = () if state.is_sharded else tuple(state.model.parameters())
    parameters = [parameter for parameter in exchanged if parameter.requires_grad]

    exchange = OverlappedExchange(state.ranks, parameters) if state.experiment.data.parts == "auto" else None
    last_backward = exchange.overlap if exchange else nullcontext

    def computed(part: int) -> Part:
        return take_gradients(parameters, *accumulate_part(state, step, feed, part, last_backward))

    parts: Iterator[Part] = map(computed, state.epochs.own_parts)
    synchronized = state.experiment.train.sync_batchnorm
    norms = [] if synchronized else updated_norms(state.model.network, state.plan, step)
    statistics = PartStatistics(norms) if norms else None
    total = tree_sum(parts if statistics is None else statistics.collect(parts))
    with phase("exchange"):
        if statistics is not None:
            statistics.apply(state.ranks)
        total = exchange.finish(total) if exchange else sum_in_order(state.ranks, total, parameters)
    for parameter, gradient in zip(parameters, total.gradients, strict=True):
        parameter.grad = gradient
    loss, weights, samples = total.totals[:3].tolist()
    return torch.tensor(loss, device=state.device.torch), weights, round(samples), total.totals[3:]


def accumulate_part(
    state: TrainingState,
    step: int,
    feed: Iterator[Batch],
    part: int = 0,
    last_backward: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> tuple[Tensor, float, int, Tensor]:
    """Run the forward and backward pass of a part's micro-batches; return the sums of losses, weights and samples.

    The last value is what the objective observed: see RunningMeans. The backward pass of the last micro-batch runs
    within `last_backward`.
    """
    total = torch.zeros((), device=state.device.torch)
    weights, samples = 0.0, 0
    if state.means is not None:
        state.means.take()  # of a trial of the micro-batch size
    for inputs, targets, share, is_last in micro_batches(state, step, feed, part):
        with phase("forward"):
            loss, items = loss_of(state, inputs, targets, state.network_at(step), step)
            weight = share * (items / len(targets))
        with phase("backward"), last_backward() if is_last else nullcontext():
            torch.autograd.backward(state.scaler.scale(loss * weight))
        total += loss.detach() * weight
        weights += weight
        samples += len(targets)
    return total, weights, samples, torch.zeros(0) if state.means is None else state.means.take()


def loss_of(state: TrainingState, inputs: Any, targets: Tensor, network: nn.Module, step: int) -> MeanLoss:
    """Compute the training loss of a batch, through the teacher or the objective where there is one.

    The inputs of an objective are its views, concatenated along the batch dimension.
    """

    def forward(view: Any) -> Tensor:
        with state.device.autocast():
            logits: Tensor = network(view)
        return logits if state.codes is None else logits.float() @ state.codes.T

    objective, distillation = state.experiment.objective, state.experiment.distillation
    if distillation is not None and state.teacher is not None:
        with state.device.autocast():
            teacher_logits = state.teacher.logits(inputs)
        activation = state.experiment.loss.fact("activation")
        return MeanLoss(
            distillation_loss(distillation, activation, state.loss, forward(inputs), targets, teacher_logits),
            len(targets),
        )
    if objective is None:
        return MeanLoss(state.loss(forward(inputs), targets), len(targets))
    loss: Tensor | MeanLoss = objective(forward, _views(state, inputs, len(targets), step), targets, state.loss)
    return loss if isinstance(loss, MeanLoss) else MeanLoss(loss, len(targets))


def _views(state: TrainingState, inputs: Tensor, labeled: int, step: int) -> Sequence[Tensor] | SemiSupervisedViews:
    """Split the inputs of a micro-batch into the views that the objective takes."""
    if state.means is None:
        return inputs.chunk(views_of(state.experiment))
    weak, strong = inputs[labeled:].chunk(2)
    return SemiSupervisedViews(inputs[:labeled], weak, strong, state.means, step / state.training_length.total_steps)


def is_recorded(length: TrainingLength, step: int) -> bool:
    """Return whether metrics are logged after a step (from 1): `ROWS_PER_EPOCH` times an epoch, and at its end."""
    return step % max(1, length.epoch_steps // ROWS_PER_EPOCH) == 0 or step % length.epoch_steps == 0


def stage_norms(state: TrainingState) -> dict[str, Tensor]:
    """Compute the gradient norm of each stage, unscaled, on the device."""
    gradients: dict[str, list[Tensor]] = {}
    for group in state.optimizer.param_groups:
        gradients.setdefault(group["name"], []).extend(p.grad for p in group["params"] if p.grad is not None)
    scale = state.scaler.get_scale()
    return {
        stage: gathered(torch.stack(torch._foreach_norm(grads)).norm()) / scale
        for stage, grads in gradients.items()
        if grads
    }


def gradient_norm(state: TrainingState) -> Tensor | None:
    """Compute the total norm of the gradients; None in fp16, where the gradient scaler checks them."""
    if state.scaler.is_enabled():
        return None
    return gathered(torch.nn.utils.get_total_norm([p.grad for p in _with_gradients(state) if p.grad is not None]))


def update(state: TrainingState, step: int, norm: Tensor | None) -> Tensor | None:
    """Clip the gradients, take an optimizer step and update the average; return the gradient norm before clipping."""
    clip = state.experiment.train.clip_norm
    if clip is not None:
        parameters = _with_gradients(state)
        if norm is None:
            state.scaler.unscale_(state.optimizer)
            norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        torch.nn.utils.clip_grads_with_norm_(parameters, clip, norm)
    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.optimizer.zero_grad(set_to_none=True)
    if state.average is not None:
        state.average.update(state.model.network, step + 1)
    return norm


def _with_gradients(state: TrainingState) -> list[nn.Parameter]:
    return [p for group in state.optimizer.param_groups for p in group["params"] if p.grad is not None]
