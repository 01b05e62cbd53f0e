"""Propose the values of a trial, as a pure function of the seed, the trial's number and the trials before it.

Nothing is stored beside the trials themselves: the samplers of Optuna and cmaes only propose, from a history in memory.
"""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftaug.config.search_space import Space
from ftaug.errors import missing_extra
from ftaug.runs.search.search_file import grid_values

SIGMA = 0.3
"""Initial standard deviation of CMA-ES as a share of each range."""

STARTUP = 10
"""Trials of TPE and GP that are proposed at random, before there is anything to learn from."""


@dataclass(frozen=True)
class Result:
    """A trial that was proposed before."""

    number: int
    values: Mapping[str, Any]  # by the keys of the spaces
    score: float | None = None  # to be maximized; None while it runs
    failed: bool = False


Sampler = Callable[[Sequence[Space], int, int, Sequence[Result]], dict[str, Any] | None]
"""Takes spaces, seed, number of the trial and the results before it; returns values, None if there are none left."""


def propose(
    sampler: str, spaces: Sequence[Space], seed: int, number: int, results: Sequence[Result]
) -> dict[str, Any] | None:
    """Return the values of a trial; None if a grid has no further ones. Raises Unavailable without the package."""
    return SAMPLERS[sampler](spaces, seed, number, results)


def by_random(spaces: Sequence[Space], seed: int, number: int, results: Sequence[Result]) -> dict[str, Any]:
    """Draw values uniformly, on a logarithmic scale where the space has one."""
    return _values(spaces, np.random.Generator(np.random.Philox(key=[seed, number])).random(len(spaces)))


def by_sobol(spaces: Sequence[Space], seed: int, number: int, results: Sequence[Result]) -> dict[str, Any]:
    """Return a point of a scrambled Sobol sequence, whose points cover the space evenly (Owen 1998)."""
    from torch.quasirandom import SobolEngine

    engine: Any = SobolEngine(len(spaces), scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    return _values(spaces, engine.fast_forward(number).draw(1)[0].tolist())


def by_grid(spaces: Sequence[Space], seed: int, number: int, results: Sequence[Result]) -> dict[str, Any] | None:
    """Return the first combination that no trial has; the last space varies fastest."""
    tried = {json.dumps(result.values, sort_keys=True) for result in results}  # 1, 1.0 and true are different values
    combinations = itertools.product(*map(grid_values, spaces))
    points = ({space.key: value for space, value in zip(spaces, each, strict=True)} for each in combinations)
    return next((point for point in points if json.dumps(point, sort_keys=True) not in tried), None)


def by_optuna(
    spaces: Sequence[Space], seed: int, number: int, results: Sequence[Result], *, name: str
) -> dict[str, Any]:
    """Ask a sampler of Optuna, given the results so far; it knows of the trials that still run, too."""
    try:
        import optuna
    except ImportError:
        raise missing_extra(f"search.sampler: {name}", "optuna", "search") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    drawn = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = (
            optuna.samplers.TPESampler(seed=drawn, n_startup_trials=STARTUP, multivariate=True, constant_liar=True)
            if name == "tpe"
            else optuna.samplers.GPSampler(seed=drawn, n_startup_trials=STARTUP)
        )
        study = optuna.create_study(direction="maximize", sampler=sampler)
        distributions = {space.key: _distribution(space, optuna.distributions) for space in spaces}
        worst = min((r.score for r in results if r.score is not None), default=None)
        study.add_trials([_optuna_trial(r, spaces, distributions, worst, optuna.trial) for r in results])
        asked = study.ask(fixed_distributions=distributions).params
    return {
        space.key: space.rounded(asked[space.key]) if space.choices is None else space.choices[asked[space.key]]
        for space in spaces
    }


def by_tpe(spaces: Sequence[Space], seed: int, number: int, results: Sequence[Result]) -> dict[str, Any]:
    """Tree-structured Parzen estimator (Bergstra et al. 2011), of all settings jointly."""
    return by_optuna(spaces, seed, number, results, name="tpe")


def by_gp(spaces: Sequence[Space], seed: int, number: int, results: Sequence[Result]) -> dict[str, Any]:
    """Gaussian process with expected improvement."""
    return by_optuna(spaces, seed, number, results, name="gp")


def by_cma_es(spaces: Sequence[Space], seed: int, number: int, results: Sequence[Result]) -> dict[str, Any]:
    """Covariance matrix adaptation (Hansen 2016), replayed generation by generation from the results so far.

    A trial that still runs or has failed counts as the worst of all.
    """
    try:
        from cmaes import CMA
    except ImportError:
        raise missing_extra("search.sampler: cma_es", "cmaes", "search") from None
    middle, bounds = np.full(len(spaces), 0.5), np.array([[0.0, 1.0]] * len(spaces))
    optimizer = CMA(middle, SIGMA, bounds=bounds, seed=seed)
    scores = {result.number: result.score for result in results if result.score is not None}
    worst = min(scores.values(), default=0.0)
    size = optimizer.population_size
    points: list[np.ndarray] = []
    for first in range(0, number + 1, size):
        points = [optimizer.ask() for _ in range(size)]
        if number < first + size:
            break
        optimizer.tell([(point, -scores.get(first + i, worst)) for i, point in enumerate(points)])
    return _values(spaces, points[number % size])


SAMPLERS: Mapping[str, Sampler] = {
    "random": by_random,
    "sobol": by_sobol,
    "grid": by_grid,
    "tpe": by_tpe,
    "gp": by_gp,
    "cma_es": by_cma_es,
}


def _values(spaces: Sequence[Space], shares: Sequence[float] | np.ndarray) -> dict[str, Any]:
    return {space.key: space.value_at(float(share)) for space, share in zip(spaces, shares, strict=True)}


def _distribution(space: Space, distributions: Any) -> Any:
    """Return the distribution of a space; choices by their index, as they may be whole components."""
    if space.choices is not None:
        return distributions.CategoricalDistribution(range(len(space.choices)))
    kind = distributions.IntDistribution if space.is_whole else distributions.FloatDistribution
    return kind(space.low, space.high, log=space.is_log)


def _optuna_trial(
    result: Result, spaces: Sequence[Space], distributions: Mapping[str, Any], worst: float | None, trial: Any
) -> Any:
    """Return a trial of Optuna; one that failed counts as the worst of all, so that its surroundings are avoided."""
    params = {
        space.key: _index(space.choices, result.values[space.key]) if space.choices else result.values[space.key]
        for space in spaces
    }
    score = worst if result.failed else result.score
    state = trial.TrialState.RUNNING if score is None else trial.TrialState.COMPLETE
    if result.failed and score is None:
        state = trial.TrialState.FAIL
    return trial.create_trial(params=params, distributions=dict(distributions), value=score, state=state)


def _index(choices: Sequence[Any], value: Any) -> int:
    """Return the index of a choice; `1`, `1.0` and `true` are different ones."""
    return next(i for i, choice in enumerate(choices) if choice == value and type(choice) is type(value))
