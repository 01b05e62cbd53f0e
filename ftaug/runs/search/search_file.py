"""An experiment file with search spaces: its spaces, all of whose values were validated, and the search's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ftaug.config.dump import WITHOUT_INFLUENCE, to_plain
from ftaug.config.experiment import Experiment, Search
from ftaug.config.search_space import FIXED, UNSET, Space, is_within, overrides_of
from ftaug.config.yaml_document import Where
from ftaug.errors import ExperimentError, Place, Problem, first_of
from ftaug.experiment_file import ExperimentFile
from ftaug.runs.study.study_run import paired

CONFIRMATION = "data.confirmation=50%"
"""The override of trials that leaves half of validation for the confirmation."""


@dataclass(frozen=True)
class SearchFile:
    """An experiment file with its overrides and search spaces."""

    file: ExperimentFile
    overrides: tuple[str, ...]
    spaces: tuple[Space, ...]
    default_overrides: tuple[str, ...]  # of the unsearched experiment

    @cached_property
    def experiment(self) -> Experiment:
        """The unsearched experiment: each setting at its default, or at the first of its listed values."""
        return self.file.experiment([*self.overrides, *self.default_overrides])

    @property
    def settings(self) -> Search:
        """The settings of the search."""
        return self.experiment.search or Search()

    @property
    def metric(self) -> str:
        """The metric that chooses the best trial."""
        return self.settings.best or self.experiment.evaluate.best

    @property
    def higher_is_better(self) -> bool:
        """Whether the best trial is that with the highest metric."""
        metrics = {metric.name: metric for metric in self.experiment.evaluate.metrics}
        return self.metric != "loss" and bool(metrics[self.metric].fact("higher_is_better"))

    @property
    def steps(self) -> tuple[int, ...]:
        """The lengths of the steps of the ladder in epochs; a single one without a ladder."""
        ladder, epochs = self.settings.ladder, self.experiment.train.epochs
        return tuple(max(1, round(share * epochs)) for share in (ladder.steps if ladder else (1.0,)))

    def values_overrides(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the overrides that set values of spaces, by the dotted keys of the settings."""
        return overrides_of({space.where: values[space.key] for space in self.spaces})

    def run_overrides(self, values: tuple[str, ...], seed: int, epochs: int) -> tuple[str, ...]:
        """Return the overrides of a run with the overrides of its values, its seed and its length."""
        data, train = self.experiment.data, self.experiment.train
        length = () if epochs == train.epochs else (f"train.epochs={epochs}",)
        split_seed = self.experiment.seed if data.split_seed is None else data.split_seed
        return (*self.overrides, *values, *length, *paired(seed, split_seed), *held_out(self.experiment))

    def description(self) -> dict[str, Any]:
        """Return what a study of this file consists of, as JSON."""
        plain = to_plain(self.experiment)
        for *sections, key in WITHOUT_INFLUENCE:
            inner = plain
            for section in sections:
                inner = inner[section] if isinstance(inner, dict) else {}
            if isinstance(inner, dict):
                inner.pop(key, None)
        settings = to_plain(self.settings)
        settings.pop("budget")
        spaces = {space.key: space.as_json() for space in self.spaces}
        return {"command": "search", "spaces": spaces, "settings": settings, "experiment": plain}


def held_out(experiment: Experiment) -> tuple[str, ...]:
    """Return the override that holds out the samples of the confirmation, if there is one and the file does not."""
    confirms = (experiment.search or Search()).confirm is not None
    return (CONFIRMATION,) if confirms and experiment.data.confirmation is None else ()


def open_search(file: ExperimentFile, overrides: Sequence[str] = ()) -> SearchFile:
    """Read the spaces of a file and validate all of their values; raises ExperimentError with all problems at once."""
    spaces = tuple(file.spaces(overrides))
    if not spaces:
        file.experiment(overrides)
        text = "has no search space; write one where a value stands: lr: {peak: {search: {log: [1e-4, 1e-2]}}}"
        raise ExperimentError(Problem(text, Place(str(file.path))))
    if problems := [*_problems(file, overrides, spaces)]:
        raise ExperimentError(*first_of(list(dict.fromkeys(problems))))
    search = SearchFile(file, tuple(overrides), spaces, overrides_of(_defaults(file, overrides, spaces)))
    _check_settings(search)
    return search


def _problems(file: ExperimentFile, overrides: Sequence[str], spaces: Sequence[Space]) -> Iterator[Problem]:
    """Build the experiment with each value of each space; the problems have the place of the value in the file."""
    base = {space.where: space.present for space in spaces}
    places = {text: place for space in spaces for text, place in _places(file, space)}
    for space in spaces:
        for value in space.ends:
            try:
                file.experiment([*overrides, *overrides_of({**base, space.where: value})], places)
            except ExperimentError as error:
                yield from error.problems


def _places(file: ExperimentFile, space: Space) -> Iterator[tuple[str, Place]]:
    """Yield the override of each value of a space, and where the value stands in the file."""
    for value, path in zip((space.first, *space.ends), (space.where, *space.paths), strict=True):
        place = file.document.place(path) if space.place.line is not None else space.place
        for text in overrides_of({space.where: value}):
            yield text, place


def _defaults(file: ExperimentFile, overrides: Sequence[str], spaces: Sequence[Space]) -> dict[Where, Any]:
    """Return the values of the unsearched experiment.

    A space becomes its stated default, else the first of its listed values, else the setting's default, else the middle
    of the range.
    """
    values = {space.where: space.first for space in spaces}
    for space in spaces:
        if space.choices is None and not space.has_default:
            without = {**values, space.where: UNSET}
            try:
                file.experiment([*overrides, *overrides_of(without)])
            except ExperimentError:  # the setting has no default
                continue
            values = without
    return values


def _check_settings(search: SearchFile) -> None:
    """Raise ExperimentError for spaces and settings with which trials could not be compared or proposed."""
    experiment, settings = search.experiment, search.settings
    place = (experiment.search and experiment.search.place) or Place(str(search.file.path))
    problems = [
        Problem(f"{space.key} {text}", space.place) for space in search.spaces for text in _misfits(space, search)
    ]
    if experiment.data.val is None:
        problems.append(Problem("a search chooses by validation samples, and data.val is null; set it", place))
    if len(set(search.steps)) < len(search.steps):
        steps = ", ".join(map(str, search.steps))
        text = f"the steps of search.ladder are {steps} epochs; train longer than {search.steps[-1]}, or leave one out"
        problems.append(Problem(text, place))
    if settings.sampler == "grid" and not problems and (size := grid_size(search.spaces)) > settings.trials:
        text = f"the grid has {size:,} combinations, and search.trials is {settings.trials}"
        problems.append(Problem(f"{text}; raise it, or list fewer values", place))
    if problems:
        raise ExperimentError(*problems)


def _misfits(space: Space, search: SearchFile) -> Iterator[str]:
    """Yield what is wrong with a space in this search."""
    settings, without_influence = search.settings, [".".join(path) for path in WITHOUT_INFLUENCE]
    if fixed := next((key for key in FIXED if is_within(space.key, key)), None):
        advice = "; search.seeds trains each trial with several" if fixed == "seed" else ""
        yield f"cannot be searched: all trials share {fixed}, so that they can be compared{advice}"
    if any(is_within(space.key, key) for key in without_influence):
        yield "cannot be searched: it does not change results"
    if search.metric == "loss" and is_within(space.key, "loss"):
        yield "changes the loss, by which the best trial is chosen; set search.best to a metric"
    if settings.ladder is not None and is_within(space.key, "train.epochs"):
        yield "cannot be searched with search.ladder, whose steps set the length of training"
    if settings.sampler == "grid" and space.choices is None and not space.is_whole:
        text = f"is a range of numbers, and a grid needs listed values: {{search: [{space.low}, {space.high}]}}"
        yield f"{text}; or set search.sampler"
    if settings.sampler == "cma_es" and space.choices is not None:
        yield "is a list, and search.sampler: cma_es searches numbers alone; use tpe"


def default_folder(name: str) -> Path:
    """Return the folder of a search of an experiment unless the user names one."""
    return Path("runs", f"{name}-search")


def grid_size(spaces: Sequence[Space]) -> int:
    """Return the number of combinations of listed values and whole numbers."""
    size = 1
    for space in spaces:
        size *= len(grid_values(space))
    return size


def grid_values(space: Space) -> Sequence[Any]:
    """Return the values of a space in a grid."""
    return space.choices if space.choices is not None else range(int(space.low), int(space.high) + 1)


def at_epochs(search: SearchFile, epochs: int) -> None:
    """Raise ExperimentError if the experiment is not valid with another length, as in a step of the ladder."""
    overrides = [*search.overrides, *search.default_overrides, f"train.epochs={epochs}"]
    try:
        search.file.experiment(overrides)
    except ExperimentError as error:
        reason = "in a step of search.ladder; write durations as shares, such as 10%"
        raise ExperimentError(*(replace(p, message=f"{p.message}, {reason}") for p in error.problems)) from None
