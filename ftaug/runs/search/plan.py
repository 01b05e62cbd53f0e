"""Which run of a search comes next: a pure function of the runs that exist.

All trials train the first step of the ladder; when they are finished, the best of them train the next one, and so on.
The best of the last step and the unsearched experiment are then trained with further seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ftaug.runs.search.samplers import Result, propose
from ftaug.runs.search.search_file import SearchFile
from ftaug.runs.search.trials import DEFAULT, Trial, confirmations_of, trials_of
from ftaug.runs.study.study_run import RunSpec, StudyRun


@dataclass(frozen=True)
class SearchPlan:
    """The plan of a search; `may_start` says whether there is time for a further trial."""

    search: SearchFile
    may_start: Callable[[], bool] = lambda: True

    def __call__(self, runs: Sequence[StudyRun]) -> RunSpec | None:
        """Return the next run to claim; None to wait for results, or at the end."""
        trials = trials_of(runs)
        for trial in trials:
            if spec := self._further_seed(trial, trial.last_step):
                return spec
        if spec := self._new_trial(trials):
            return spec
        for step in range(len(self.steps)):
            reached = self.reached(trials, step)
            if not all(self._is_finished(trial, step) for trial in reached):
                return None
            if step + 1 < len(self.steps):
                for trial in self.promoted(trials, step):
                    if trial.last_step <= step:
                        return self._spec(trial.number, trial.values, step + 1, 0)
        return self._confirmation(runs, self.finalists(trials))

    @property
    def steps(self) -> tuple[int, ...]:
        """The lengths of the steps of the ladder in epochs; a single one without a ladder."""
        return self.search.steps

    @property
    def total(self) -> int:
        """The number of runs, if no trial fails."""
        settings = self.search.settings
        count = total = settings.trials
        for _ in self.steps[1:]:
            count = self._count_kept(count)
            total += count
        confirm = settings.confirm
        confirmations = (min(confirm.finalists, count) + 1) * confirm.seeds if confirm else 0
        return total * settings.seeds + confirmations

    def reached(self, trials: Sequence[Trial], step: int) -> list[Trial]:
        """Return the trials that train a step."""
        return [trial for trial in trials if trial.last_step >= step]

    def promoted(self, trials: Sequence[Trial], step: int) -> list[Trial]:
        """Return the trials of a step that train the next one, the best first."""
        ranked = self.ranked(self.reached(trials, step), step)
        return ranked[: self._count_kept(len(self.reached(trials, step)))]

    def ranked(self, trials: Sequence[Trial], step: int) -> list[Trial]:
        """Return the trials with a score of a step, the best first; of equal ones the earlier."""
        scored = [(score, trial) for trial in trials if (score := self.score(trial, step)) is not None]
        return [trial for score, trial in sorted(scored, key=lambda each: (-each[0], each[1].number))]

    def score(self, trial: Trial, step: int) -> float | None:
        """Return the score of a trial in a step, to be maximized; None without one."""
        value = trial.score(step, self.search.metric, self.search.settings.seeds)
        return value if value is None or self.search.higher_is_better else -value

    def finalists(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return the best trials of the last step, which the confirmation trains again; without it the best one."""
        confirm = self.search.settings.confirm
        return self.ranked(trials, len(self.steps) - 1)[: confirm.finalists if confirm else 1]

    def _count_kept(self, count: int) -> int:
        ladder = self.search.settings.ladder
        return max(1, round(count * ladder.keep)) if ladder else count

    def _is_finished(self, trial: Trial, step: int) -> bool:
        runs = trial.of_step(step)
        has_failed = any(run.failure is not None for run in runs)
        return has_failed or (len(runs) == self.search.settings.seeds and all(run.is_finished for run in runs))

    def _further_seed(self, trial: Trial, step: int) -> RunSpec | None:
        """Return the next seed of a trial that has been started, unless one of its runs has failed."""
        seed = len(trial.of_step(step))
        if seed >= self.search.settings.seeds or trial.failure is not None:
            return None
        return self._spec(trial.number, trial.values, step, seed)

    def _new_trial(self, trials: Sequence[Trial]) -> RunSpec | None:
        """Propose the values of the next trial."""
        settings = self.search.settings
        number = next(n for n in range(len(trials) + 1) if n not in {trial.number for trial in trials})
        if len(trials) >= settings.trials or any(trial.last_step > 0 for trial in trials) or not self.may_start():
            return None
        results = [Result(t.number, t.values, self.score(t, 0), t.failure is not None) for t in trials]
        values = propose(settings.sampler, self.search.spaces, self.search.experiment.seed, number, results)
        return None if values is None else self._spec(number, values, 0, 0)

    def _spec(self, number: int, values: Mapping[str, Any], step: int, seed: int) -> RunSpec:
        """Return the run of a trial in a step with a seed."""
        name = f"trial-{number:04}" + (f"-step-{step + 1}" if step else "") + (f"-seed-{seed}" if seed else "")
        overrides = self.search.run_overrides(
            self.search.values_overrides(values), self.search.experiment.seed + seed, self.steps[step]
        )
        return RunSpec(name, overrides, {"trial": number, "step": step, "seed": seed, "values": values})

    def _confirmation(self, runs: Sequence[StudyRun], finalists: Sequence[Trial]) -> RunSpec | None:
        """Return the next run of the confirmation, with a seed that no trial had."""
        settings, experiment = self.search.settings, self.search.experiment
        if settings.confirm is None or not finalists:
            return None
        claimed = confirmations_of(runs)
        values = {f"{t.number:04}": self.search.values_overrides(t.values) for t in finalists}
        for index in range(settings.confirm.seeds):
            for candidate, overrides in {**values, DEFAULT: self.search.default_overrides}.items():
                if index not in claimed.get(candidate, {}):
                    seed = experiment.seed + settings.seeds + index
                    name = f"confirm-{candidate}-seed-{index}"
                    complete = self.search.run_overrides(overrides, seed, experiment.train.epochs)
                    return RunSpec(name, complete, {"candidate": candidate, "seed": index})
        return None
