"""A learning rate from a short training whose rate grows from step to step. Smith 2017."""

import copy
import math
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
"""How much of a smoothed loss is what was before."""

DIVERGED = 4.0
"""So many times the best smoothed loss is no loss to go on from."""

FEWEST = 10
"""Steps without which nothing can be said."""


@dataclass(frozen=True)
class Curve:
    """How the loss went while the rate grew."""

    rates: np.ndarray  # float64 (n,), of a factor of 1
    losses: np.ndarray
    smoothed: np.ndarray
    diverged: bool  # whether it ended before the highest rate

    @property
    def fall(self) -> float:
        """How much of the first smoothed losses was gone at the lowest point."""
        first = float(self.smoothed[: FEWEST // 2].mean())
        return (first - float(self.smoothed.min())) / abs(first)

    @property
    def noise(self) -> float:
        """The scatter of the losses about their smoothed course until its minimum, over how much that fell."""
        end = max(FEWEST, int(self.smoothed.argmin()) + 1)
        fallen = float(self.smoothed[:end].max() - self.smoothed[:end].min())
        return float((self.losses[:end] - self.smoothed[:end]).std()) / max(fallen, 1e-12)


def sweep(setup: TrainingState, lowest: float, highest: float, steps: int) -> Curve:
    """Train with growing rates, and leave the setup as it was; raises Diverged where it ended before it began."""

    def rising(step: int, horizon: TrainingLength) -> float:
        return float((lowest / highest) ** (1 - step / max(1, horizon.total_steps - 1)))

    experiment = setup.experiment
    lr = replace(experiment.lr, peak=highest, schedule=cast(Any, rising))
    trial = replace(
        setup,
        experiment=replace(experiment, lr=lr),
        horizon=setup.horizon._replace(total_steps=steps),
        average=None,
        features=None,
    )
    model, optimizer = copy.deepcopy(setup.model.state_dict()), copy.deepcopy(setup.optimizer.state_dict())
    rates, losses, smoothed, diverged = [], [], [], False
    mean = 0.0
    with torch.random.fork_rng(devices=[setup.device.torch] if setup.device.torch.type == "cuda" else []):
        try:
            for step in fit(trial, Progress()):
                loss = step.loss.item()
                if not math.isfinite(loss):
                    diverged = True
                    break
                mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
                rates.append(step.rate)
                losses.append(loss)
                smoothed.append(mean / (1 - SMOOTHING**step.number))
                if step.number > FEWEST and smoothed[-1] > DIVERGED * abs(min(smoothed)):
                    diverged = True
                    break
        finally:
            setup.model.load_state_dict(model)
            setup.optimizer.load_state_dict(optimizer)
    if len(losses) < FEWEST:
        raise Diverged(
            f"the loss is not finite after {len(losses)} steps, at a rate of {rates[-1] if rates else lowest:.3g}; "
            "begin with a lower one (--from)"
        )
    return Curve(np.array(rates), np.array(losses), np.array(smoothed), diverged)


def steepest(curve: Curve) -> float:
    """The rate at which the smoothed loss falls fastest over the logarithm of the rate."""
    end = max(FEWEST, int(curve.smoothed.argmin()) + 1)
    slopes = np.gradient(curve.smoothed[:end], np.log(curve.rates[:end]))
    warm = end // 10  # the smoothing has to settle
    return float(curve.rates[warm + int(slopes[warm:].argmin())])


def below_the_minimum(curve: Curve) -> float:
    """A tenth of the rate at which the smoothed loss is lowest."""
    return float(curve.rates[int(curve.smoothed.argmin())]) / 10


def valley(curve: Curve) -> float:
    """The rate two thirds down the longest fall: the longest subsequence of smoothed losses, each below the last."""
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


RULES = {"steepest": steepest, "minimum / 10": below_the_minimum, "valley": valley}


@dataclass(frozen=True)
class Verdict:
    """What the rules say together."""

    rate: float  # the middle one of the suggestions
    suggestions: dict[str, float]
    sentences: tuple[str, ...]


def judge(curve: Curve, peak: float) -> Verdict:
    """Suggest a rate, and say how far it can be relied on; `peak` is the rate that the experiment has."""
    suggestions = {name: rule(curve) for name, rule in RULES.items()}
    rate = float(np.median(list(suggestions.values())))
    apart = max(suggestions.values()) / min(suggestions.values())
    said = []
    if curve.fall < 0.02:
        said.append("the loss did not fall at any rate: the suggestions mean little; look at data, labels and unfreeze")
    elif curve.noise > 0.5:
        said.append("the loss scatters more than it falls: take more --steps, or a larger batch")
    elif apart > 10:
        said.append(f"the rules are {apart:.0f} times apart: try the lowest and the highest of them")
    else:
        said.append(f"the rules agree within a factor of {apart:.1f}")
    if not curve.diverged:
        said.append(f"the loss stood even {curve.rates[-1]:.3g}: a higher --to may show more")
    said.append(_compared(rate, peak))
    return Verdict(rate, suggestions, tuple(said))


def _compared(rate: float, peak: float) -> str:
    """How the rate in the file stands to the suggested one."""
    times = rate / peak
    if 1 / 3 <= times <= 3:
        return f"lr.peak is {peak:g}, which is near"
    return f"lr.peak is {peak:g}, {max(times, 1 / times):.1f} times {'lower' if times > 1 else 'higher'}"


def rounded(rate: float) -> str:
    """A rate as a person would write it, with one digit behind the first."""
    return f"{float(f'{rate:.1e}'):g}"


def smoothed_at(curve: Curve, rates: Sequence[float]) -> list[float]:
    """The smoothed loss at rates, as a picture needs it."""
    return [float(value) for value in np.interp(np.log(rates), np.log(curve.rates), curve.smoothed)]
