"""Learning-rate schedules: the factor of the peak rate at each optimizer step, as pure functions."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from ftaug.config.kinds import schedule
from ftaug.config.types import CountOrZero, Doc, Duration, Fraction, NonNegative, Positive, Wording
from ftaug.interfaces.model import TrainingLength, improvements

Factor = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Wording("a factor from 0 to 1")]
EndFactor = Annotated[Factor, Doc("the factor of the peak after the last step")]
Warmup = Annotated[Duration, Doc("rise linearly from 0 to the peak first")]
NONE = Duration(0, "steps")


@schedule.register
def constant(step: int, horizon: TrainingLength, *, warmup: Warmup = NONE) -> float:
    """Stay at the peak."""
    return _rise(step, warmup.steps(horizon))


@schedule.register
def linear(step: int, horizon: TrainingLength, *, warmup: Warmup = NONE, end: EndFactor = 0.0) -> float:
    """Fall along a straight line from the peak to the end of the run."""
    return _rise(step, warmup.steps(horizon)) * _between(1.0, end, _progress(step, horizon, warmup))


@schedule.register
def cosine(step: int, horizon: TrainingLength, *, warmup: Warmup = NONE, end: EndFactor = 0.0) -> float:
    """Fall along half a cosine from the peak to the end of the run."""
    return _rise(step, warmup.steps(horizon)) * _between(1.0, end, _ease(_progress(step, horizon, warmup)))


@schedule.register
def polynomial(
    step: int, horizon: TrainingLength, *, power: Positive = 2.0, warmup: Warmup = NONE, end: EndFactor = 0.0
) -> float:
    """Fall as a power of the share of the run that is left.

    Settings:
        power: 1 is a straight line; above 1 falls early
    """
    left = (1.0 - _progress(step, horizon, warmup)) ** power
    return _rise(step, warmup.steps(horizon)) * _between(end, 1.0, left)


@schedule.register
def exponential(
    step: int,
    horizon: TrainingLength,
    *,
    factor: Fraction = 0.9,
    every: Duration = Duration(1, "epochs"),
    warmup: Warmup = NONE,
) -> float:
    """Fall smoothly by the same factor in equal times.

    Settings:
        factor: what the rate is multiplied by …
        every: … in this time, counted from the end of the warmup
    """
    warm = warmup.steps(horizon)
    return _rise(step, warm) * float(factor ** (max(step - warm, 0) / max(every.steps(horizon), 1)))


@schedule.register
def step(
    step: int,
    horizon: TrainingLength,
    *,
    factor: Fraction = 0.1,
    every: Duration = Duration(30, "%"),
    warmup: Warmup = NONE,
) -> float:
    """Multiply the rate by a factor at equal intervals.

    Settings:
        factor: what the rate is multiplied by …
        every: … each time this has passed since the start of the run
    """
    return _rise(step, warmup.steps(horizon)) * float(factor ** (step // max(every.steps(horizon), 1)))


@schedule.register
def multistep(
    step: int,
    horizon: TrainingLength,
    *,
    at: tuple[Duration, ...] = (Duration(50, "%"), Duration(75, "%")),
    factor: Fraction = 0.1,
    warmup: Warmup = NONE,
) -> float:
    """Multiply the rate by a factor at chosen points of the run.

    Settings:
        at: the points, counted from the start of the run
        factor: what the rate is multiplied by at each
    """
    passed = sum(step >= point.steps(horizon) for point in at)
    return _rise(step, warmup.steps(horizon)) * float(factor**passed)


@schedule.register
def one_cycle(
    step: int,
    horizon: TrainingLength,
    *,
    warmup: Duration = Duration(30, "%"),
    start: Factor = 0.04,
    end: Factor = 4e-6,
) -> float:
    """Rise along half a cosine to the peak, then fall along another to almost nothing (Smith and Topin 2018).

    Settings:
        warmup: how long the rise takes
        start: the factor of the peak at the first step
        end: the factor of the peak at the last step
    """
    top = max(warmup.steps(horizon) - 1, 0)
    if step <= top:
        return _between(start, 1.0, _ease(step / top)) if top else 1.0
    return _between(1.0, end, _ease(min((step - top) / max(horizon.total_steps - 1 - top, 1), 1.0)))


@schedule.register
def warmup_stable_decay(
    step: int,
    horizon: TrainingLength,
    *,
    warmup: Warmup = Duration(5, "%"),
    decay: Duration = Duration(20, "%"),
    shape: Literal["linear", "cosine", "sqrt"] = "linear",
    end: EndFactor = 0.0,
) -> float:
    """Rise, stay at the peak, and fall only in the last part of the run.

    Settings:
        decay: how long the fall at the end takes
        shape: the way down: a straight line, half a cosine, or 1 - sqrt (steep at first)
    """
    length = max(decay.steps(horizon), 1)
    done = min(max(step - (horizon.total_steps - length), 0) / length, 1.0)
    fall = {"linear": done, "cosine": _ease(done), "sqrt": math.sqrt(done)}[shape]
    return _rise(step, warmup.steps(horizon)) * _between(1.0, end, fall)


@schedule.register
def plateau(
    step: int,
    horizon: TrainingLength,
    *,
    factor: Fraction = 0.1,
    patience: CountOrZero = 3,
    threshold: NonNegative = 1e-4,
    cooldown: CountOrZero = 0,
    end: Factor = 0.0,
    warmup: Warmup = NONE,
) -> float:
    """Multiply the rate by a factor when the best metric has stopped improving.

    Settings:
        factor: what the rate is multiplied by
        patience: how many evaluations without improvement are tolerated
        threshold: how much the score must rise above the last improvement to count as one, as `min_delta` of early
            stopping
        cooldown: how many evaluations after a reduction are not counted against the patience
        end: the factor of the peak below which the rate never falls
    """
    bad, rest, current = 0, 0, 1.0
    for improved in improvements(horizon.scores, threshold):
        bad = 0 if improved else bad + 1
        if rest > 0:
            rest, bad = rest - 1, 0
        if bad > patience:
            current, bad, rest = max(current * factor, end), 0, cooldown
    return _rise(step, warmup.steps(horizon)) * current


def _rise(step: int, warm: int) -> float:
    """Linear warmup: 1/n at the first of n steps, 1 from the last on."""
    return min((step + 1) / warm, 1.0) if warm else 1.0


def _progress(step: int, horizon: TrainingLength, warmup: Duration) -> float:
    """Progress after the warmup: 0 at its first step, 1 after the last."""
    warm = warmup.steps(horizon)
    return min(max(step - warm, 0) / max(horizon.total_steps - warm, 1), 1.0)


def _ease(progress: float) -> float:
    """Half-cosine ramp from 0 to 1."""
    return (1.0 - math.cos(math.pi * progress)) / 2.0


def _between(first: float, last: float, share: float) -> float:
    return first + (last - first) * share
