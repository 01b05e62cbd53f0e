"""Learning-rate range test: train briefly with an exponentially growing rate and suggest one (Smith 2017)."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import torch

from ftaug.engine.training.fit import Progress, fit
from ftaug.engine.training.state import TrainingState
from ftaug.errors import Diverged
from ftaug.interfaces.model import TrainingLength

SMOOTHING = 0.9
"""Decay of the exponential moving average of the loss."""

DIVERGED = 4.0
"""Stop when the smoothed loss exceeds its best value by this factor."""

MIN_STEPS = 10
"""Minimum number of steps for a suggestion."""


@dataclass(frozen=True)
class Curve:
    """The loss curve of a range test: loss by learning rate."""

    rates: np.ndarray  # float64 (n,), learning rates of a factor of 1
    losses: np.ndarray
    smoothed: np.ndarray
    diverged: bool  # whether it ended before the highest rate

    @property
    def fall(self) -> float:
        """The decrease of the smoothed loss from its first values to its minimum, relative to the first."""
        first = float(self.smoothed[: MIN_STEPS // 2].mean())
        return (first - float(self.smoothed.min())) / abs(first)

    @property
    def noise(self) -> float:
        """Standard deviation of the losses about their smoothed values until the minimum, relative to the decrease."""
        end = max(MIN_STEPS, int(self.smoothed.argmin()) + 1)
        fallen = float(self.smoothed[:end].max() - self.smoothed[:end].min())
        return float((self.losses[:end] - self.smoothed[:end]).std()) / max(fallen, 1e-12)


def sweep(state: TrainingState, lowest: float, highest: float, steps: int) -> Curve:
    """Run the range test, then restore model and optimizer; raises Diverged if the loss is not finite too early."""

    def rising(step: int, horizon: TrainingLength) -> float:
        return float((lowest / highest) ** (1 - step / max(1, horizon.total_steps - 1)))

    experiment = state.experiment
    lr = replace(experiment.lr, peak=highest, schedule=cast(Any, rising))
    trial = replace(
        state,
        experiment=replace(experiment, lr=lr),
        training_length=state.training_length._replace(total_steps=steps),
        average=None,
        features=None,
    )
    model, optimizer = copy.deepcopy(state.model.state_dict()), copy.deepcopy(state.optimizer.state_dict())
    rates, losses, smoothed, diverged = [], [], [], False
    mean = 0.0
    with torch.random.fork_rng(devices=[state.device.torch] if state.device.torch.type == "cuda" else []):
        try:
            for step in fit(trial, Progress()):
                loss = step.loss.item()
                if step.nonfinite is not None:
                    diverged = True
                    break
                # Exponential moving average with the bias correction of Adam.
                mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
                rates.append(step.rate)
                losses.append(loss)
                smoothed.append(mean / (1 - SMOOTHING**step.number))
                if step.number > MIN_STEPS and smoothed[-1] > DIVERGED * abs(min(smoothed)):
                    diverged = True
                    break
        finally:
            state.model.load_state_dict(model)
            state.optimizer.load_state_dict(optimizer)
    if len(losses) < MIN_STEPS:
        raise Diverged(
            f"the loss is not finite after {len(losses)} steps, at a rate of {rates[-1] if rates else lowest:.3g}; "
            "begin with a lower one (--from)"
        )
    return Curve(np.array(rates), np.array(losses), np.array(smoothed), diverged)


def steepest(curve: Curve) -> float:
    """Return the rate with the steepest decrease of the smoothed loss over the logarithm of the rate."""
    end = max(MIN_STEPS, int(curve.smoothed.argmin()) + 1)
    slopes = np.gradient(curve.smoothed[:end], np.log(curve.rates[:end]))
    warm = end // 10  # the moving average needs steps to become stable
    return float(curve.rates[warm + int(slopes[warm:].argmin())])


def tenth_of_minimum(curve: Curve) -> float:
    """Return a tenth of the rate with the lowest smoothed loss."""
    return float(curve.rates[int(curve.smoothed.argmin())]) / 10


def valley(curve: Curve) -> float:
    """Return the rate at two thirds of the longest valley.

    The valley is the longest decreasing subsequence of smoothed losses.
    """
    values = curve.smoothed
    length, before = np.ones(len(values), np.int64), np.full(len(values), -1)
    for at in range(1, len(values)):
        lower = np.flatnonzero(values[:at] > values[at])
        if len(lower):
            best = lower[int(length[lower].argmax())]
            length[at], before[at] = length[best] + 1, best
    at = int(length.argmax())
    chain = [at]
    while before[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    first, last = chain[-1], chain[0]
    return float(curve.rates[first + (last - first) * 2 // 3])


RULES = {"steepest": steepest, "minimum / 10": tenth_of_minimum, "valley": valley}


@dataclass(frozen=True)
class Verdict:
    """The suggested learning rate and how far to rely on it."""

    rate: float  # median of the suggestions
    suggestions: dict[str, float]
    sentences: tuple[str, ...]


def assess(curve: Curve, peak: float) -> Verdict:
    """Suggest a learning rate and assess its reliability; `peak` is the experiment's `lr.peak`."""
    suggestions = {name: rule(curve) for name, rule in RULES.items()}
    rate = float(np.median(list(suggestions.values())))
    spread = max(suggestions.values()) / min(suggestions.values())
    sentences = []
    if curve.fall < 0.02:
        sentences.append(
            "the loss did not fall at any rate: the suggestions mean little; look at data, labels and unfreeze"
        )
    elif curve.noise > 0.5:
        sentences.append("the loss scatters more than it falls: take more --steps, or a larger batch")
    elif spread > 10:
        sentences.append(f"the rules are {spread:.0f} times apart: try the lowest and the highest of them")
    else:
        sentences.append(f"the rules agree within a factor of {spread:.1f}")
    if not curve.diverged:
        sentences.append(f"the loss had not diverged at a rate of {curve.rates[-1]:.3g}: a higher --to may show more")
    sentences.append(_compare_to_peak(rate, peak))
    return Verdict(rate, suggestions, tuple(sentences))


def _compare_to_peak(rate: float, peak: float) -> str:
    """Describe how the configured rate compares to the suggested one."""
    times = rate / peak
    if 1 / 3 <= times <= 3:
        return f"lr.peak is {peak:g}, which is near"
    return f"lr.peak is {peak:g}, {max(times, 1 / times):.1f} times {'lower' if times > 1 else 'higher'}"


def rounded(rate: float) -> str:
    """Format a rate with two significant digits."""
    return f"{float(f'{rate:.1e}'):g}"


def smoothed_at(curve: Curve, rates: Sequence[float]) -> list[float]:
    """Interpolate the smoothed loss at rates, for a plot."""
    return [float(value) for value in np.interp(np.log(rates), np.log(curve.rates), curve.smoothed)]
