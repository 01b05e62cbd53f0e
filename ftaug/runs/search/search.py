"""Search: try values of an experiment file's search spaces, and confirm the best; any number of processes may join."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftaug.config.strict_json import dumps
from ftaug.engine.system import storage
from ftaug.engine.system.resume_check import LISTED, changes, flat
from ftaug.engine.training.feature_cache import shared_features
from ftaug.errors import ExperimentError, NotReached
from ftaug.runs.report import console
from ftaug.runs.report.progress_bar import ProgressBar
from ftaug.runs.search.best_file import write_best
from ftaug.runs.search.confirm import Confirmation, confirm, require_confirmation
from ftaug.runs.search.plan import SearchPlan
from ftaug.runs.search.samplers import propose
from ftaug.runs.search.search_file import SearchFile, at_epochs
from ftaug.runs.search.trials import DEFAULT, Trial, confirmations_of, trials_of
from ftaug.runs.study.study_folder import StudyFolder
from ftaug.runs.study.study_run import StudyRun
from ftaug.runs.study.train_run import require_same_file
from ftaug.runs.study.work import work

RESULT_FILE, BEST_FILE = "result.json", "best.yaml"

Train = Callable[[StudyRun], None]


@dataclass(frozen=True)
class Outcome:
    """A finished search."""

    folder: Path
    plan: SearchPlan
    trials: Sequence[Trial]
    best: Trial
    best_file: Path
    confirmation: Confirmation | None


def prepare(search: SearchFile, path: Path, *, extend: bool) -> StudyFolder:
    """Create the folder of a search, or check that it holds this one; raises the errors that all trials would meet."""
    settings = search.settings
    propose(settings.sampler, search.spaces, search.experiment.seed, 0, [])
    for epochs in SearchPlan(search).steps[:-1]:
        at_epochs(search, epochs)
    folder, description = StudyFolder(path), search.description()
    recorded = folder.description
    if recorded is None:
        overrides = search.run_overrides(
            search.default_overrides, search.experiment.seed, search.experiment.train.epochs
        )
        if settings.confirm is not None:
            require_confirmation(search.file.experiment(overrides))
    elif recorded != description:
        _check_extension(path, recorded, description, extend=extend)
    folder.describe(description)
    return folder


def _check_extension(path: Path, before: Mapping[str, Any], now: Mapping[str, Any], *, extend: bool) -> None:
    """Raise ExperimentError unless a changed search only widens spaces or has more trials, and that is asked for."""
    differing = changes(flat(before), flat(now))
    rows = [f"{_key_of_file(key)}: {old} → {new}" for key, (old, new) in differing.items()]
    if not rows:
        return
    if _widens(before, now):
        if extend:
            return
        head = f"{path} holds this search with other spaces or fewer trials; --extend continues it with these"
    else:
        head = f"{path} holds another search; name another folder by --output"
    more = [f"and {len(rows) - LISTED} more"] if len(rows) > LISTED else []
    raise ExperimentError(head, *rows[:LISTED], *more)


def _key_of_file(key: str) -> str:
    """Return the key path in the experiment file of one in the description of a search."""
    section, _, rest = key.partition(".")
    return f"search.{rest}" if section == "settings" else rest or key


def _widens(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a search has the values of another and maybe more, and as many trials or more."""
    if before.get("command") != now["command"] or before["spaces"].keys() != now["spaces"].keys():
        return False
    rest = [{key: value for key, value in each["settings"].items() if key != "trials"} for each in (before, now)]
    same = not changes(flat(before["experiment"]), flat(now["experiment"])) and rest[0] == rest[1]
    more = now["settings"]["trials"] >= before["settings"]["trials"]
    return same and more and all(_contains(now["spaces"][key], space) for key, space in before["spaces"].items())


def _contains(space: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a space has all values of another."""
    if "choices" in other:
        return all(value in space.get("choices", ()) for value in other["choices"])
    form = "log" if "log" in other else "range"
    if form not in space:
        return False
    (low, high), (other_low, other_high) = space[form], other[form]
    return bool(low <= other_low and high >= other_high) and type(low) is type(other_low)


def run_search(search: SearchFile, folder: StudyFolder, train: Train, device: str) -> Outcome:
    """Train the trials together with any other process, and confirm the best; raises NotReached if none is complete."""
    budget = search.settings.budget
    until = None if budget is None else time.monotonic() + budget.seconds
    plan = SearchPlan(search, lambda: until is None or time.monotonic() < until)
    with ProgressBar(plan.total, 0, unit="run") as progress_bar:

        def show(runs: Sequence[StudyRun], current: StudyRun | None) -> None:
            require_same_file(search.file)
            progress_bar.step = sum(run.is_finished for run in runs)
            progress_bar.status(_status(plan, runs, current))

        with shared_features():
            runs = work(folder, plan, train, show)
        show(runs, None)
    trials = trials_of(runs)
    ranked = plan.ranked(trials, len(plan.steps) - 1)
    if not ranked:
        raise NotReached(f"{folder.path}: no trial is complete; see `ftaug search --status`")
    confirmed = None
    if search.settings.confirm is not None:
        groups = confirmations_of(runs)
        names = [f"{trial.number:04}" for trial in plan.finalists(trials)]
        with console.quiet():
            confirmed = confirm(
                names,
                groups.get(DEFAULT, {}),
                groups,
                search.metric,
                higher_is_better=search.higher_is_better,
                device=device,
            )
    best = ranked[0]
    if confirmed is not None:
        best = next(trial for trial in trials if trial.number == int(confirmed.candidate))
    return Outcome(folder.path, plan, trials, best, write_best(search, best.values, folder.path / BEST_FILE), confirmed)


def _status(plan: SearchPlan, runs: Sequence[StudyRun], current: StudyRun | None) -> str:
    """Return the best score so far and what is trained now, for the progress bar."""
    trials = trials_of(runs)
    step = max((trial.last_step for trial in trials), default=0)
    scores = [score for trial in trials if (score := trial.score(step, plan.search.metric, 1)) is not None]
    choose = max if plan.search.higher_is_better else min
    best = f"best {plan.search.metric} {choose(scores):.4f}" if scores else ""
    now = current.spec.name if current is not None else "waiting for other processes" if runs else ""
    failed = sum(run.failure is not None for run in runs)
    return ", ".join(filter(None, [best, f"{failed} failed" if failed else "", now]))


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Convert a finished search to a JSON value."""
    search, best = outcome.plan.search, outcome.best
    return {
        "folder": str(outcome.folder),
        "metric": search.metric,
        "best": {
            "trial": best.number,
            "values": dict(best.values),
            "overrides": list(search.values_overrides(best.values)),
            "file": str(outcome.best_file),
        },
        "confirmation": None if outcome.confirmation is None else outcome.confirmation.as_json(),
        "trials": [trial_json(outcome.plan, trial) for trial in outcome.trials],
    }


def trial_json(plan: SearchPlan, trial: Trial) -> dict[str, Any]:
    """Convert a trial to a JSON value."""
    seeds = plan.search.settings.seeds
    score = trial.score(trial.last_step, plan.search.metric, seeds)
    failure = trial.failure
    return {
        "trial": trial.number,
        "state": "failed" if failure is not None else "running" if score is None else "done",
        "epochs": plan.steps[trial.last_step],
        plan.search.metric: score,
        "values": dict(trial.values),
        "exit_code": None if failure is None else failure.exit_code,
        "error": None if failure is None else failure.message,
        "runs": [str(run.path) for _, run in sorted(trial.runs.items())],
    }


def write_result(outcome: Outcome) -> Path:
    """Write the result of a search into its folder; return the path."""
    path = outcome.folder / RESULT_FILE
    with storage.storage_errors(f"{path}: cannot be written"):
        storage.replace(path, (dumps(as_json(outcome), indent=1) + "\n").encode())
    return path


def next_command(outcome: Outcome) -> str:
    """Return the command that trains the best trial."""
    return f"ftaug train {shlex.quote(str(outcome.best_file))}"
