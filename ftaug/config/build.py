"""Build an Experiment from a parsed YAML document, or collect all of its problems."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ftaug.config import (  # noqa: F401  (those of checks register them)
    data_checks,
    evaluation_checks,
    kinds,
    objective_checks,
    process_checks,
    training_checks,
)
from ftaug.config.checks import check
from ftaug.config.experiment import Experiment, Placed
from ftaug.config.hints import key_paths
from ftaug.config.other_names import SPELLINGS
from ftaug.config.problems import PartialProblem
from ftaug.config.registry import Component
from ftaug.config.schema import list_setting
from ftaug.config.shapes import dataclass_shape, read_tree, value_at, word_as_list
from ftaug.config.task_fit import tasks_of, with_task_defaults
from ftaug.config.yaml_document import Document, Places, Where
from ftaug.errors import Problem

Faults = list[tuple[Where, PartialProblem]]


def read(
    document: Document, path: Path, context: Mapping[str, Any], faults: Faults
) -> tuple[Experiment | None, list[Problem]]:
    """Make the experiment; the problems are those of its parts, of their combination, and the faults found before."""
    tree = with_chosen_values(document.tree, path)
    _place_metrics(document)
    experiment: Experiment | None = None
    try:
        experiment = _complete(tree, context, document)
        faults = [*faults, *check(experiment)]
    except ValidationError as error:
        faults = [*faults, *((line["loc"], line["input"]) for line in error.errors())]
        faults += _contradictions(tree, faults, context, document)
    problems = [
        Problem(fault.sentence(where), fault.place or document.place(where, of_key=fault.at_key))
        for where, fault in faults
    ]
    return experiment, problems


def _complete(tree: dict[str, Any], context: Mapping[str, Any], document: Document) -> Experiment:
    """Build the experiment with places for error messages, and task defaults if the task is known from the file."""
    experiment: Experiment = placed(
        read_tree(Experiment, tree, {**context, "key_paths": key_paths(Experiment)}), (), document
    )
    kinds = tasks_of(experiment)
    return with_task_defaults(experiment, kinds[0]) if len(kinds) == 1 else experiment


def with_chosen_values(tree: dict[str, Any], path: Path) -> dict[str, Any]:
    """Fill in derived defaults: the name from the file's, the best metric from the first one, and the layers to
    train from the method."""
    chosen = {"name": re.sub(r"^\W|[^\w.+-]", "_", path.stem)[:100] or "experiment", **tree}
    evaluate = tree.get("evaluate")
    if isinstance(evaluate, dict) and "best" not in evaluate:
        measured = word_as_list(evaluate.get("metrics"))
        if isinstance(measured, list) and (name := _name(next(iter(measured), "loss"))):
            chosen["evaluate"] = {**evaluate, "best": name}
    elif isinstance(evaluate, dict) and "metrics" not in evaluate and evaluate["best"] not in (None, "", "loss"):
        chosen["evaluate"] = {**evaluate, "metrics": [evaluate["best"]]}
    if "unfreeze" not in tree and (method := _name(tree.get("method"))) in kinds.method:
        chosen["unfreeze"] = [kinds.method[method].facts["learns"]]
    return chosen


def _place_metrics(document: Document) -> None:
    """Set the place of each metric named by the file or an override; default metrics have none.

    `best` alone asks for a metric as well, unless it is the loss.
    """
    evaluate = document.tree.get("evaluate")
    if not isinstance(evaluate, dict):
        return
    metrics, best = word_as_list(evaluate.get("metrics")), evaluate.get("best", "loss")
    source: Where = ("evaluate", "metrics") if "metrics" in evaluate else ("evaluate", "best")
    count = len(metrics) if isinstance(metrics, list) else int(best != "loss")
    place = document.place(source)
    for index in range(count):
        document.places.setdefault(("evaluate", "metrics", index), Places(place, place))


def _name(component: Any) -> str:
    """Return the name of a component as written; an empty string if it is none."""
    first = next(iter(component), "") if isinstance(component, dict) else component
    return first if isinstance(first, str) else ""


def _contradictions(tree: dict[str, Any], faults: Faults, context: Mapping[str, Any], document: Document) -> Faults:
    """Check the combination of the valid settings; invalid ones are left out, or replaced if required."""
    spoilt = {_part(where) for where, _ in faults}
    sound: dict[str, Any] = {key: dict(part) if isinstance(part, dict) else part for key, part in tree.items()}
    for part in spoilt:
        holder = sound if len(part) == 1 else sound.get(str(part[0]))
        if isinstance(holder, dict):
            holder.pop(str(part[-1]), None)
    sound.setdefault("backbone", Component("backbone", "", {}))
    sound.setdefault("data", {})
    sound["data"].setdefault("train", Component("dataset", "", {}))
    try:
        return list(check(_complete(sound, context, document), spoilt))
    except ValidationError:
        return []


def _part(where: Where) -> Where:
    """Return the setting that a path belongs to: a top-level key, or one in a section."""
    default = dataclass_shape(Experiment).defaults.get(str(where[0]))
    is_section = where[0] == "data" or dataclasses.is_dataclass(default)
    return where[: 2 if is_section else 1]


def placed(value: Any, where: Where, source: Document) -> Any:
    """Copy a value, setting the place (line and column) of each component."""
    if isinstance(value, Component):
        inside = _inside(value, where, source)
        in_place = isinstance(value_at(source.tree, inside), str | list)  # of a mapping of settings
        listed = list_setting(value.entry) if in_place else None
        settings = {
            key: placed(item, inside if key == listed else (*inside, key), source)
            for key, item in value.settings.items()
        }
        written = next((w for w in (inside, where) if w in source.places), None)
        at = source.place(written, of_key=written == inside) if written else None
        return dataclasses.replace(value, settings=settings, place=at)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        inner = {name: placed(getattr(value, name), (*where, name.rstrip("_")), source) for name in names}
        result = dataclasses.replace(value, **inner)
        if isinstance(result, Placed) and where in source.places:
            object.__setattr__(result, "place", source.place(where))
        return result
    if isinstance(value, tuple):
        alone = len(value) == 1 and (*where, 0) not in source.places  # a word in place of a list of words
        return tuple(placed(item, where if alone else (*where, index), source) for index, item in enumerate(value))
    return value


def _inside(component: Component, where: Where, source: Document) -> Where:
    """Return the path of a component's settings, under the name that the file uses."""
    spellings = SPELLINGS.get(component.kind, {})
    names = [component.name, *(name for name, ours in spellings.items() if ours == component.name)]
    return next(((*where, name) for name in names if (*where, name) in source.places), (*where, component.name))


def in_order(problems: Sequence[Problem]) -> list[Problem]:
    """Sort and deduplicate problems: those of the file by line, then those of the overrides."""

    def key(problem: Problem) -> tuple[Any, ...]:
        place = problem.place
        if place is None or place.line is None:
            return place is not None and place.file.startswith("override"), "", 0, 0, str(problem)
        return False, place.file, place.line, place.column, problem.message

    return sorted(set(problems), key=key)
